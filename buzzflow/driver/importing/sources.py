"""Read what `import` is given: a file with a definition, a module that builds one, or a deployed pipeline's name."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from buzzflow.backends.sagemaker.importing.document import MAX_BYTES, Document, read_document
from buzzflow.diagnostics import Diagnostic, PipelineError

_MODULE = re.compile(r".+\.py(:[A-Za-z_]\w*)?")
STDIN = "-"


def read_source(source: str, *, python: str | None = None, region: str | None = None) -> Document:
    """Return the definition that *source* names; PipelineError says why there is none."""
    if _MODULE.fullmatch(source):
        from buzzflow.driver.importing.module import read_module

        return read_module(source, python=python, region=region)
    if source == STDIN:
        return read_document(sys.stdin.buffer.read(MAX_BYTES + 1), "stdin")
    file = Path(source)
    if file.suffix == ".json" or "/" in source.partition(":")[0] or file.is_file():
        return read_document(_content(file), source)
    from buzzflow.driver.importing.deployed import read_deployed

    return read_deployed(source, region=region)


def _content(file: Path) -> bytes:
    try:
        if not file.is_file():
            raise PipelineError([Diagnostic("BF650", f"there is no file {file}")])
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as e:
        raise PipelineError([Diagnostic("BF650", f"cannot read {file}: {e.strerror}")]) from None
    except ValueError:  # a name that no file can have
        raise PipelineError([Diagnostic("BF650", "no file can have this name")]) from None


def title(source: str) -> str:
    """Return how a source is called in the file that comes of it: without the folders of this machine."""
    if source == STDIN:
        return "a definition"
    return source if source.startswith("arn:") else Path(source).name


def name_of(source: str) -> str:
    """Return the name of a pipeline whose definition lies in *source*: that of the file."""
    stem = Path(source.partition(":")[0] if ".py" in source else source).name.partition(".")[0]
    found = re.sub(r"-{2,}", "-", re.sub(r"[^A-Za-z0-9]+", "-", stem)).strip("-")[:256].strip("-")
    return found or "imported"
