"""Why an interpolation cannot be answered, in the words of its writer."""

from __future__ import annotations

import re


class Refused(Exception):
    """One text cannot be answered; *silent* when another place tells why."""

    def __init__(self, code: str, summary: str, hint: str | None = None, *, silent: bool = False) -> None:
        super().__init__(summary)
        self.code, self.summary, self.hint, self.silent = code, summary, hint, silent


def yaml_word(value: object) -> str:
    """Return a value of OmegaConf's grammar as YAML writes it."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str() | int() | float():
            return str(value)
        case _:
            return "…"


def nesting(text: str) -> int:
    """Return how deep the brackets in *text* are nested."""
    deepest = depth = 0
    for c in text:
        if c in "{[(":
            depth += 1
            deepest = max(deepest, depth)
        elif c in "}])":
            depth = max(0, depth - 1)
    return deepest


def unreadable(text: str, told: str) -> Refused:
    """Return what to say of a text that OmegaConf's parser does not take; *told* are its words."""
    shown = text if len(text) <= 60 else text[:57] + "…"
    hint: str | None = "a literal ${ is written \\${"
    if re.search(r"\$\{[^}]*$", text):
        hint = "a } is missing"
    elif "${}" in text:
        hint = "name something between the braces"
    elif quoted := re.search(r"\$\{(step|json|param|run|oc\.env):([^}'\"]*[=#!~&;>(\[' ][^}'\"]*)\}", text):
        uri, comma, key = quoted[2].partition(",")
        argument = f"'{uri}','{key.strip()}'" if comma and quoted[1] == "json" else f"'{quoted[2]}'"
        hint = "a ' is missing" if quoted[2].count("'") % 2 else f"quote the argument: ${{{quoted[1]}:{argument}}}"
    elif re.search(r"\$\{[A-Za-z_]\w*:-", text):
        hint = "there is no default by :-; write ${oc.env:NAME,default}"
    return Refused("BF120", f"{shown!r} is not an interpolation that can be read: {told.splitlines()[0]}", hint)
