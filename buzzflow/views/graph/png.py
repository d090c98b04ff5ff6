"""An SVG as a PNG, by the optional package resvg_py."""

from __future__ import annotations

from functools import cache

from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.views.graph.svg import FONTS

_ZOOM = 2.0  # sharp on a screen of many pixels
_PROBE = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><text y="15" font-family="{}">{}</text></svg>'


def rendered(svg: str) -> bytes:
    """Return the picture; PipelineError BF170 when the package or every font is missing."""
    try:
        from resvg_py import svg_to_bytes
    except ImportError:
        hint = "install it: pip install 'buzzflow[graph]'; or write an .svg, which needs nothing"
        raise PipelineError(
            [Diagnostic("BF170", "a PNG needs the package resvg_py, which is not installed", hint=hint)]
        ) from None
    if not _has_font():
        hint = "install one, on Debian and Ubuntu: sudo apt install fonts-dejavu-core; or write an .svg"
        raise PipelineError([Diagnostic("BF170", "this machine has no font to write a PNG's texts with", hint=hint)])
    return bytes(svg_to_bytes(svg_string=svg, zoom=_ZOOM))


@cache
def _has_font() -> bool:
    from resvg_py import svg_to_bytes

    letter, nothing = (bytes(svg_to_bytes(svg_string=_PROBE.format(FONTS, told))) for told in ("M", ""))
    return letter != nothing
