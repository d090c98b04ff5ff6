"""Text as the user wrote it, with the references in it that only a run can answer.

OmegaConf answers `${variables.x}` and `${environment.x}` while loading. `${param:…}`, `${step:…}`, `${json:…}` and
`${run:…}` stay, as `Reference`s inside a `Template`, until the lower stage gives them their meaning; so does `${each:}`
in the steps of a foreach whose items only a run knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Form = Literal["param", "step", "json", "run", "each"]
FORMS: frozenset[str] = frozenset(get_args(Form))


@dataclass(frozen=True, slots=True)
class Reference:
    """`${form:argument,…}`, not yet looked up.

    *address* is the first argument of `${json:'s3://…','a.b'}` when references stand in it; *arguments* has the rest.
    """

    form: Form
    arguments: tuple[str, ...]
    address: Template | None = None

    def __str__(self) -> str:
        if self.address is not None:
            return f"${{{self.form}:'{self.address}','{self.arguments[0]}'}}"
        if len(self.arguments) == 1:
            return f"${{{self.form}:{self.arguments[0]}}}"
        return f"${{{self.form}:{','.join(repr(a) for a in self.arguments)}}}"


@dataclass(frozen=True, slots=True)
class Template:
    """Literal text and references in their order; never only literal text."""

    parts: tuple[str | Reference, ...]

    @property
    def only(self) -> Reference | None:
        """The reference, when it stands alone."""
        first = self.parts[0]
        return first if len(self.parts) == 1 and isinstance(first, Reference) else None

    def __str__(self) -> str:
        return "".join(map(str, self.parts))
