"""Load a pipeline: find its files, lay them over one another, answer what can be answered now."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from buzzflow.diagnostics import Diagnostic, PipelineError, Span, did_you_mean
from buzzflow.diagnostics import Path as KeyPath
from buzzflow.loader import files
from buzzflow.loader.copies import Copies
from buzzflow.loader.escapes import escaped_tree
from buzzflow.loader.foreach import expand_foreach, once
from buzzflow.loader.interpolate import interpolate
from buzzflow.loader.merge import apply_defaults, drop_nulls, merge
from buzzflow.loader.nodes import Node, SourceMap
from buzzflow.loader.secrets import find_secrets
from buzzflow.loader.shorthands import expand_shorthands, list_arguments
from buzzflow.loader.yaml_reader import read_yaml

MAX_FILES = 64
MAX_CHARACTERS = 2_097_152  # in all files together
_OF_ENVIRONMENT = ("image", "role", "network", "encryption")  # what an environment gives every step


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A pipeline's data, and where every value came from.

    *data* is plain, but for `Template`s where text refers to what only a run knows. *environment* is the data of the
    environment.yaml, None where there is none. *files* are all that were read.
    """

    data: dict[str, Any]
    source: SourceMap
    environment: dict[str, Any] | None
    environment_source: SourceMap | None
    name: str
    file: Path
    root: Path
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Layered:
    """The files of a pipeline, laid over one another: a tree without defaults, in which no `${…}` is answered.

    Every foreach is expanded; *copies* tells what it made. *environment* is the tree of the environment.yaml, answered,
    and *given* the defaults that it has for every step.
    """

    tree: Node
    copies: Copies
    environment: Node | None
    given: Node | None
    file: Path
    root: Path
    files: tuple[Path, ...]


def load(
    target: Path, *, fields: Mapping[str, Collection[str]], settings: Sequence[str] = (), local: bool = False
) -> LoadedConfig:
    """Load the pipeline that *target* names: a file, or a folder with one.

    *fields* tells which fields each step type has, for defaults; *settings* are `key.path=value`, the highest layer;
    *local* adds the `.local.yaml` layer. PipelineError tells all that is wrong with the files.
    """
    layered = read_layers(target, settings=settings, local=local)
    environment, given = layered.environment, layered.given
    tree = drop_nulls(apply_defaults(layered.tree, given, fields))
    tree = list_arguments(expand_shorthands(answered(tree, environment, copies=layered.copies)))
    source = SourceMap(tree)
    problems = [d if d.span else d.at(source.find(d.path)) for d in _unlocked(tree, given, environment, fields)]
    if problems := [*problems, *find_secrets(tree, environment)]:
        raise PipelineError(once(problems))
    return LoadedConfig(
        data=tree.plain(),
        source=source,
        environment=None if environment is None else environment.plain(),
        environment_source=None if environment is None else SourceMap(environment),
        name=files.pipeline_name(layered.file),
        file=layered.file,
        root=layered.root,
        files=layered.files,
    )


def read_layers(target: Path, *, settings: Sequence[str] = (), local: bool = False) -> Layered:
    """Read the files of the pipeline that *target* names, as `load` does, and stop before the defaults."""
    file = files.find_pipeline(target)
    root = files.find_root(file)
    layers = _Layers(file, root)
    environment = layers.environment
    tree = layers.read(file, ())
    if local and (layer := files.local_layer(file)) is not None:
        tree = merge(tree, layers.read(layer, ()))
    tree = _with_settings(tree, settings, refused=_only_ci(environment) and not local)
    if (clash := tree.child("environment")) is not None:
        hint = "remove it: the nearest environment.yaml above the pipeline decides"
        raise PipelineError(
            [Diagnostic("BF117", "a pipeline does not choose its environment", hint=hint, span=clash.key)]
        )
    tree, copies = expand_foreach(tree, lambda t: answered(t, environment, only=("steps",)))
    return Layered(tree, copies, environment, _environment_defaults(environment), file, root, tuple(layers.seen))


def read_environment(file: Path) -> Node:
    """Return what an environment.yaml says; PipelineError tells what is wrong with it."""
    tree = expand_shorthands(files.read_file(file))
    if not isinstance(tree.value, dict):
        hint = "it starts with name:"
        raise PipelineError([Diagnostic("BF105", "an environment is a mapping", hint=hint, span=tree.span)])
    allow = tree.child("allow_env")
    names = allow.plain() if allow is not None and isinstance(allow.value, list) else []
    return drop_nulls(interpolate(tree, allow_env=[n for n in names if isinstance(n, str)]))


class _Layers:
    """Reads a file with what it extends and includes, and remembers which files that were."""

    def __init__(self, file: Path, root: Path) -> None:
        self.root = root
        self.seen: list[Path] = []
        self._characters = 0
        self._place = files.find_environment(file, root)
        self.environment = None
        if self._place is not None:
            self.environment = read_environment(self._place)
            self.seen.append(self._place)

    def read(self, file: Path, open_files: tuple[Path, ...], named_at: Span | None = None) -> Node:
        """Return the tree of *file* over what it extends; it is read inside of *open_files*, and named at a place."""
        if file.resolve() in open_files:
            circle = " -> ".join(files.shown(f) for f in (*open_files, file))
            what, hint = f"files extend one another in a circle: {circle}", "remove one of the lines that name the next"
            raise PipelineError([Diagnostic("BF112", what, hint=hint, span=named_at)])
        self.seen.append(file)
        if len(self.seen) > MAX_FILES:
            raise PipelineError([Diagnostic("BF112", f"more than {MAX_FILES} files are extended or included")])
        text = files.read_text(file)
        self._characters += len(text)
        if self._characters > MAX_CHARACTERS:
            what = f"all files together are larger than {MAX_CHARACTERS // 1024} KiB"
            span = Span(files.shown(file), 1, 1)
            raise PipelineError([Diagnostic("BF102", what, hint="keep data out of the pipeline", span=span)])
        tree = expand_shorthands(read_yaml(text, files.shown(file)))
        if not isinstance(tree.value, dict):
            hint = "it starts with steps:"
            raise PipelineError([Diagnostic("BF105", "a pipeline is a mapping", hint=hint, span=tree.span)])
        open_files = (*open_files, file.resolve())
        bases = [self.read(base, open_files, at) for base, at in self._named(tree, "extends", file)]
        included = [self.read(other, open_files, at) for other, at in self._named(tree, "include", file)]
        own = tree.with_value({k: v for k, v in tree.value.items() if k not in ("extends", "include")})
        for other in included:
            own = _join_steps(own, other)
        below: Node | None = None
        for base in bases:
            below = base if below is None else merge(below, base)
        return own if below is None else merge(below, own)

    def _named(self, tree: Node, key: str, file: Path) -> Iterator[tuple[Path, Span]]:
        node = tree.child(key)
        if node is None or node.value is None:
            return
        for item in node.value if isinstance(node.value, list) else [node]:
            if not isinstance(item.value, str) or "${" in item.value:
                what = f"{key} takes the path of a file, or a list of them"
                raise PipelineError([Diagnostic("BF112", what, (key,), span=item.span)])
            other = file.parent / item.value
            self._refuse_foreign(other, key, item.span)
            yield other, item.span

    def _refuse_foreign(self, other: Path, key: str, span: Span) -> None:
        if not files.is_file(other):
            what = f"there is no file {files.shown(other)[:200]}"
            raise PipelineError([Diagnostic("BF112", what, (key,), span=span)])
        if not files.inside(other, self.root):
            what = f"{files.shown(other)} lies outside the repository"
            raise PipelineError([Diagnostic("BF113", what, (key,), "copy it into the repository", span)])
        place = files.find_environment(other, self.root)
        if _only_ci(self.environment) and place is not None and place != self._place:
            what = f"{files.shown(other)} belongs to another environment"
            hint = "move what both share to a folder without an environment.yaml above it"
            raise PipelineError([Diagnostic("BF113", what, (key,), hint, span)])


def _join_steps(own: Node, other: Node) -> Node:
    assert isinstance(own.value, dict)
    assert isinstance(other.value, dict)
    if strange := [n for k, n in other.value.items() if k != "steps"]:
        hint = "an included file holds steps: and nothing else; use extends for the rest"
        raise PipelineError(
            [Diagnostic("BF115", "an included file has more than steps", hint=hint, span=strange[0].key)]
        )
    steps = own.child("steps") or Node({}, own.span)
    more = other.child("steps") or Node({}, other.span)
    if not isinstance(steps.value, dict) or not isinstance(more.value, dict):
        return own
    if twice := [n for k, n in more.value.items() if k in steps.value]:
        name = next(k for k in more.value if k in steps.value)
        where = steps.value[name].key or steps.value[name].span
        what = f"step {name!r} stands in {where.file}:{where.line} too"
        raise PipelineError([Diagnostic("BF115", what, hint="give one of the two another name", span=twice[0].key)])
    return own.with_value({**own.value, "steps": steps.with_value({**steps.value, **more.value})})


# ------------------------------------------------------------------ --set


def _with_settings(tree: Node, settings: Sequence[str], *, refused: bool) -> Node:
    for setting in settings:
        if refused:
            hint = "change the file and open a pull request"
            raise PipelineError(
                [Diagnostic("BF114", f"--set {_one_line(setting)}: this environment is deployed by CI only", hint=hint)]
            )
        tree = merge(tree, expand_shorthands(_setting(setting)))
    return tree


def _setting(setting: str) -> Node:
    key, equals, text = setting.partition("=")
    parts = key.split(".") if equals else []
    if not parts or not all(parts):
        hint = "write --set steps.train.instance.type=ml.m5.large"
        what = f"--set {_one_line(setting)}: a key path, = and a value are needed"
        raise PipelineError([Diagnostic("BF114", what, hint=hint)])
    origin = f"--set {key}"
    value = read_yaml(text, origin) if text.strip() else Node("", Span(origin, 1, 1), raw="")
    span = Span(origin, 1, 1)
    for part in reversed(parts):
        value = Node({part: Node(value.value, value.span, span, value.raw)}, span, span)
    return value


def _one_line(setting: str) -> str:
    shown = " ".join(setting.split())
    return shown if len(shown) <= 100 else f"{shown[:99]}…"


# ------------------------------------------------------------------ environment


def _only_ci(environment: Node | None) -> bool:
    allowed = environment.child("deploy_from") if environment is not None else None
    return allowed is not None and isinstance(allowed.value, list) and [i.value for i in allowed.value] == ["ci"]


def _environment_defaults(environment: Node | None) -> Node | None:
    """Return the environment's defaults over what it says at its top level for every step."""
    if environment is None or not isinstance(environment.value, dict):
        return None
    top = Node({k: v for k, v in environment.value.items() if k in _OF_ENVIRONMENT}, environment.span)
    top = expand_shorthands(Node({"defaults": top}, environment.span))
    own = environment.child("defaults")
    return top if own is None else merge(top, Node({"defaults": own}, own.span))


def answered(tree: Node, environment: Node | None, *, only: KeyPath = (), copies: Copies | None = None) -> Node:
    """Return *tree* with every `${…}` answered; *only* those at that path or below it, and what they refer to."""
    assert isinstance(tree.value, dict)
    scope = tree.value if environment is None else {**tree.value, "environment": escaped_tree(environment)}
    allow = environment.child("allow_env") if environment is not None else None
    names = allow.plain() if allow is not None and isinstance(allow.value, list) else []
    whole = interpolate(Node(scope, tree.span), allow_env=names, only=only, copies=copies)
    assert isinstance(whole.value, dict)
    return Node({k: v for k, v in whole.value.items() if k != "environment"}, tree.span)


def _given(given: Node | None, field: str, kind: str | None) -> Node | None:
    """Return what the environment gives steps of type *kind* in *field*: its default, and that by type over it."""
    if given is None:
        return None
    low = given.at(("defaults", field))
    high = given.at(("defaults", "by_type", kind, field)) if kind is not None else None
    if low is None or high is None:
        return high or low
    return merge(low, high, ("defaults", field))


def _unlocked(
    tree: Node, given: Node | None, environment: Node | None, fields: Mapping[str, Collection[str]]
) -> Iterator[Diagnostic]:
    """Yield a problem for every step that has another value than the environment's in a locked field, or none."""
    locked = environment.child("locked") if environment is not None else None
    steps = tree.child("steps")
    if locked is None or not isinstance(locked.value, list) or steps is None or not isinstance(steps.value, dict):
        return
    anywhere = frozenset().union(*fields.values())
    for item in locked.value:
        field = item.value
        if not isinstance(field, str):
            continue
        if field not in anywhere:
            what = f"'locked' names {field!r}, which is no field of a step"
            hint = did_you_mean(field.partition(".")[0], anywhere, label="fields")
            whole = f"a field is locked as a whole: {field.partition('.')[0]}"
            yield Diagnostic("BF118", what, hint=whole if field.partition(".")[0] in anywhere else hint, span=item.span)
            continue
        for name, step in steps.value.items():
            has, kind = step.child(field), step.child("type")
            known = fields.get(str(kind.value), ()) if kind is not None else ()
            wanted = _given(given, field, None if kind is None else str(kind.value))
            deleted = has is None and wanted is not None and field in known
            if deleted or (has is not None and (wanted is None or has.plain() != wanted.plain())):
                where = wanted or locked
                what = f"{field!r} is locked by {where.span.file}:{where.span.line}"
                yield Diagnostic("BF116", what, ("steps", name, field), "remove it here: the environment decides")
