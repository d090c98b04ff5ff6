"""Give the texts in models their meaning: each `Template` becomes an `ir.Value`, and what is wrong is collected."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from buzzflow import ir
from buzzflow.diagnostics import MAX_PROBLEMS, Diagnostic, Path
from buzzflow.lower.names import Names, Unknown, look_up
from buzzflow.template import Reference, Template

PLACES = (ir.Kind.URI, ir.Kind.ARTIFACT, ir.Kind.TEXT, ir.Kind.UNKNOWN)
MODELS = (ir.Kind.MODEL, ir.Kind.TEXT, ir.Kind.UNKNOWN)
NUMBERS = (ir.Kind.NUMBER, ir.Kind.UNKNOWN)
_TEXTUAL = (ir.Kind.URI, ir.Kind.ARTIFACT, ir.Kind.MODEL, ir.Kind.ARN, ir.Kind.TEXT)


class Values:
    """Looks references up for one pipeline, and keeps every problem."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.problems: list[Diagnostic] = []
        self.warnings: list[Diagnostic] = []
        self.within: str | None = None  # the foreach step whose body is being lowered

    def reference(self, reference: Reference, path: Path) -> ir.Reference | None:
        """Return what *reference* means, or None when that is a problem, or one too many."""
        if len(self.problems) >= MAX_PROBLEMS:
            return None
        try:
            return look_up(reference, self.names, self.within)
        except Unknown as unknown:
            self.problems.append(unknown.diagnostic(path))
            return None

    def text(self, value: str | Template, path: Path) -> ir.Value:
        """Return the text; a lone reference that gives no text becomes a `Text` of one part."""
        if isinstance(value, str):
            return value
        parts = [p if isinstance(p, str) else self.reference(p, path) for p in value.parts]
        known = tuple(p for p in parts if p is not None)
        if len(known) == 1 and not isinstance(known[0], str):
            only = known[0]
            if only.kind in _TEXTUAL or isinstance(only, ir.ItemReference):
                return only
        return ir.Text(known)

    def maybe(self, value: str | Template | None, path: Path) -> ir.Value | None:
        """Return the text, or None when there is none."""
        return None if value is None else self.text(value, path)

    def texts(self, values: Collection[str | Template], path: Path) -> tuple[ir.Value, ...]:
        """Return a list of texts."""
        return tuple(self.text(v, (*path, i)) for i, v in enumerate(values))

    def pairs(self, values: Mapping[str, str | Template], path: Path) -> ir.Pairs:
        """Return a mapping of texts."""
        return tuple((k, self.text(v, (*path, k))) for k, v in values.items())

    def place(self, value: str | Template, path: Path) -> ir.Value:
        """Return an address in the store: `s3://…`, or a reference to one."""
        literal = value if isinstance(value, str) else value.parts[0]
        if isinstance(literal, str) and not literal.startswith("s3://"):
            what = f"{str(value)!r} is no address of data"
            self.problems.append(Diagnostic("BF320", what, path, _address_hint(path, str(value))))
        lowered = self.text(value, path)
        match lowered:
            case ir.Text(parts=(first, *_)) if not isinstance(first, str):
                self._wants(first, PLACES, path, "an address of data")
            case str() | ir.Text():
                pass
            case _:
                self._wants(lowered, PLACES, path, "an address of data")
        return lowered

    def model_name(self, value: str | Template, path: Path) -> ir.Value:
        """Return the name of a model that can be served."""
        lowered = self.text(value, path)
        first = lowered.parts[0] if isinstance(lowered, ir.Text) and len(lowered.parts) == 1 else lowered
        if not isinstance(first, str | ir.Text):
            hint = "a model step makes one of an artifact: ${step:name-of-model-step.name}"
            self._wants(first, MODELS, path, "the name of a model", hint)
        return lowered

    def tree(self, value: object, path: Path) -> ir.Tree:
        """Return a part of a request in the service's own words; a lone reference keeps its type."""
        match value:
            case dict():
                return ir.Mapping(tuple((str(k), self.tree(v, (*path, str(k)))) for k, v in value.items()))
            case list():
                return ir.Sequence(tuple(self.tree(v, (*path, i)) for i, v in enumerate(value)))
            case Template(only=reference) if reference is not None:
                return self.reference(reference, path)
            case Template():
                return self.text(value, path)
            case str() | bool() | int() | float() | None:
                return value
            case _:
                what = f"a {type(value).__name__} has no place in a request"
                self.problems.append(Diagnostic("BF206", what, path, "quote it"))
                return None

    def number(self, value: int | Template, path: Path) -> ir.Number:
        """Return a whole number, or a reference to one."""
        if isinstance(value, int):
            return value
        assert value.only is not None  # the model takes no other
        found = self.reference(value.only, path)
        if found is None:
            return 0
        self._wants(found, NUMBERS, path, "a number")
        return found

    def boolean(self, value: bool | Template, path: Path) -> bool | ir.Reference:  # noqa: FBT001  # the value itself
        """Return a truth value, or a reference to one."""
        if isinstance(value, bool):
            return value
        assert value.only is not None  # the model takes no other
        found = self.reference(value.only, path)
        if found is None:
            return False
        self._wants(found, (ir.Kind.BOOLEAN, ir.Kind.UNKNOWN), path, "true or false")
        return found

    def _wants(
        self, reference: ir.Reference, kinds: Collection[ir.Kind], path: Path, wanted: str, hint: str | None = None
    ) -> None:
        if reference.kind not in kinds:
            what = f"{wanted} is wanted here, and the reference gives {_KIND_WORDS[reference.kind]}"
            self.problems.append(Diagnostic("BF308", what, path, hint))


def _address_hint(path: Path, written: str) -> str:
    match path:
        case (_, _, "inputs", *_):
            sample = "local: {data: {s3://bucket/folder: path}}"
            return (
                "write s3://bucket/folder/ or ${step:name.outputs.name}; "
                f"for a local run, name sample data for the address: {sample}"
            )
        case (_, _, "outputs", *_) if written.endswith(".json"):
            return "a report is {json: metrics.json}"
        case _:
            return "write s3://bucket/folder/, or ${step:name.outputs.name}"


_KIND_WORDS = {
    ir.Kind.URI: "an address of data",
    ir.Kind.ARTIFACT: "the address of a model",
    ir.Kind.MODEL: "the name of a model",
    ir.Kind.ARN: "an ARN",
    ir.Kind.TEXT: "text",
    ir.Kind.NUMBER: "a number",
    ir.Kind.BOOLEAN: "true or false",
    ir.Kind.UNKNOWN: "a value of a report",
}
