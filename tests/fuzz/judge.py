"""Check a mutant and say what is wrong, not with it, but with the compiler: only diagnostics may come out."""

from __future__ import annotations

import re
import shutil
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver import check, compile_artifact
from buzzflow.loader.disk import remembering
from buzzflow.loader.files import line_of
from buzzflow.views.problems import as_data, human
from tests.fuzz.mutate import Mutant
from tests.fuzz.seeds import ROOT, Seed

SLOW = 2.0  # seconds of processor time; the clock on the wall also counts what other programs do
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # where YAML begins a line


@dataclass(slots=True)
class Verdict:
    """What became of a mutant; *problem* is what the compiler did wrong."""

    valid: bool = False
    codes: set[str] = field(default_factory=set)
    seconds: float = 0.0
    problem: str | None = None


class Projects:
    """Lays mutants into folders below *above*: one for each seed, of which only the YAML files are written anew."""

    def __init__(self, above: Path) -> None:
        self._above = above
        self._laid: dict[str, set[str]] = {}

    def lay(self, mutant: Mutant) -> Path:
        """Return the folder with the files of *mutant*, and no others."""
        folder = self._above / mutant.seed.name.replace("/", "-") / "projects" / "research" / "example"
        before = self._laid.get(mutant.seed.name)
        if before is None:
            before = self._lay_fixed(mutant.seed, folder)
        for name in before - mutant.texts.keys():
            (folder / name).unlink(missing_ok=True)
        for name, text in mutant.texts.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(text.encode("utf-8", "surrogateescape"))
        self._laid[mutant.seed.name] = set(mutant.texts)
        return folder

    def _lay_fixed(self, seed: Seed, folder: Path) -> set[str]:
        folder.mkdir(parents=True)
        for name, content in seed.fixed.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        if any(b"global_common" in content for content in seed.fixed.values()):
            shutil.copytree(ROOT / "global_common", folder.parents[2] / "global_common")
        return set()


def judge(mutant: Mutant, projects: Projects) -> Verdict:
    """Return what becomes of *mutant* on both backends."""
    verdict = Verdict()
    folder = projects.lay(mutant)
    started = time.process_time()
    try:
        with remembering():
            _check(mutant, folder, verdict)
    except Exception as e:  # noqa: BLE001  # to find those is what this is for
        verdict.problem = _told(e)
    verdict.seconds = time.process_time() - started
    if verdict.problem is None and verdict.seconds > SLOW:
        verdict.problem = "slow: more than 2 s"
    return verdict


def _check(mutant: Mutant, folder: Path, verdict: Verdict) -> None:
    """Check for both backends, and compile what is right; the stages before a backend are the same for both."""
    for backend in ("local", "sagemaker"):
        try:
            checked = check(folder, backend=backend, settings=mutant.settings, local=mutant.local)
        except PipelineError as e:
            found, errors = e.diagnostics, True
            verdict.problem = verdict.problem or ("no diagnostics in an error" if not found else None)
        else:
            found, errors, verdict.valid = checked.warnings, False, True
            if not compile_artifact(checked).content:
                verdict.problem = "an empty artifact"
        for diagnostic in found:
            verdict.codes.add(diagnostic.code)
            verdict.problem = verdict.problem or _wrong_with(diagnostic, mutant, folder)
        human(found, line_of, colour=True)
        as_data(found)
        if errors and any(d.code < "BF400" and d.is_error for d in found):
            return


def _wrong_with(diagnostic: Diagnostic, mutant: Mutant, folder: Path) -> str | None:
    code, span = diagnostic.code, diagnostic.span
    if not re.fullmatch(r"BF\d{3}", code):
        return f"code {code!r}"
    if not diagnostic.summary or "\n" in diagnostic.summary:
        return f"{code}: a summary of no line or several"
    shown = f"{diagnostic.summary} {diagnostic.hint}"
    if "\ue000" in shown and not any("\ue000" in text for text in (*mutant.texts.values(), *mutant.settings)):
        return f"{code}: a placeholder is shown"
    if span is None or span.file.startswith("--set "):
        return None
    text = mutant.texts.get(span.file)
    if text is None:
        file = Path.cwd() / span.file
        name = file.relative_to(folder).as_posix() if file.is_relative_to(folder) else span.file
        text = mutant.texts.get(name)
    if text is None:
        return None if (folder / span.file).exists() else f"{code}: a place in a file that there is not"
    lines = _BREAK.split(text.removeprefix("\ufeff"))
    if not 1 <= span.line <= len(lines):
        return f"{code}: a line outside of the file"
    if not 1 <= span.column <= len(lines[span.line - 1]) + 2:
        return f"{code}: a column outside of its line"
    return None


def _told(error: Exception) -> str:
    """Return the kind of an exception and where in our code it came up."""
    ours = [f for f in traceback.extract_tb(error.__traceback__) if "/buzzflow/" in f.filename]
    where = f"{Path(ours[-1].filename).name}:{ours[-1].name}" if ours else "?"
    return f"{type(error).__name__} in {where}"
