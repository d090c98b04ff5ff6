"""Which package index this machine's pip asks, for a pip elsewhere: those settings and no others."""

from __future__ import annotations

import configparser
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

_NAMES = ("index-url", "extra-index-url", "trusted-host")
_LOGIN = re.compile(r"://([^/\s@]+)@")


def index_settings() -> dict[str, str]:
    """Return pip's environment variables for its index, from this environment or else from pip's own files.

    Addresses of files are left out: they name folders of this machine.
    """
    found: dict[str, str] = {}
    for file in _files():  # from the weakest to the strongest
        found |= _settings_in(file)
    found |= {name: os.environ[_variable(name)] for name in _NAMES if os.environ.get(_variable(name))}
    usable = {name: " ".join(w for w in value.split() if not w.startswith("file:")) for name, value in found.items()}
    return {_variable(name): value for name, value in usable.items() if value}


def without_passwords(text: str, settings: Mapping[str, str]) -> str:
    """Return *text* without the logins that *settings* and addresses in it hold."""
    for login in {login for value in settings.values() for login in _LOGIN.findall(value)}:
        text = text.replace(login, "****")
    return _LOGIN.sub("://****@", text)


def _variable(name: str) -> str:
    return f"PIP_{name.upper().replace('-', '_')}"


def _files() -> list[Path]:
    """Return where pip looks (pip documentation, "Configuration")."""
    if (given := os.environ.get("PIP_CONFIG_FILE")) == os.devnull:
        return []
    home = Path(os.environ.get("HOME") or "/nonexistent")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    files = [Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf"), home / ".pip/pip.conf", config / "pip/pip.conf"]
    if sys.platform == "darwin":
        support = Path("Library/Application Support/pip/pip.conf")
        files = ["/" / support, *files, home / support]
    return [*files, Path(sys.prefix) / "pip.conf", *([Path(given)] if given else [])]


def _settings_in(file: Path) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    try:
        parser.read(file, encoding="utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError):
        return {}
    sections = [section for section in ("global", "install") if parser.has_section(section)]
    return {name: parser[section][name] for section in sections for name in _NAMES if name in parser[section]}
