"""Whether this process runs in CI."""

from __future__ import annotations

from collections.abc import Mapping


def is_ci(environ: Mapping[str, str]) -> bool:
    """Return what the environment says: CI services set `CI=true`."""
    return environ.get("CI", "").lower() in ("true", "1")
