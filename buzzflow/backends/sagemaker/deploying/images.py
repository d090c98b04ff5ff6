"""Images that are built from a folder: with Docker, here, and pushed to the account's registry once for equal files."""

from __future__ import annotations

from typing import Protocol

from buzzflow import ir


class Images(Protocol):
    """Where built images are kept."""

    def exists(self, uri: str) -> bool:
        """Whether *uri* is there already."""
        ...

    def publish(self, uri: str, context: ir.Bundle) -> None:
        """Build the image from *context* and push it to *uri*; PipelineError tells what went wrong."""
        ...
