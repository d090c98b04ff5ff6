"""What CI alone may do: where an environment says `deploy_from: [ci]`.

It spares a mistake; what keeps others out is the role that may write there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from buzzflow.diagnostics import Diagnostic

DEPLOY = "open a pull request; buzzflow plan shows what it will do"
DELETE = "remove its files in a pull request; a workflow deletes what is gone"


def refused(what: str, deploy_from: Collection[str], environ: Mapping[str, str], hint: str) -> Diagnostic | None:
    """Return why this process may not change *what*; None when it may. CI services set `CI=true`."""
    if "laptop" in deploy_from or environ.get("CI", "").lower() in ("true", "1"):
        return None
    return Diagnostic("BF601", f"{what}: what is deployed there is changed by CI alone, after review", hint=hint)
