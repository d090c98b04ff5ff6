"""Take docs/assets/report.png, the picture of a report in docs/local.md: `python tools/refresh_report_picture.py`.

Needs Chromium. The run is one that the tests make: its curves are made up, all else is what a run leaves.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from buzzflow.driver.advice import advise_run  # noqa: E402
from buzzflow.views.report import write_report  # noqa: E402
from tests.browser import Browser, find_browser  # noqa: E402
from tests.views.report.made import good, make_run  # noqa: E402

TARGET = ROOT / "docs" / "assets" / "report.png"


def main() -> None:
    """Write the picture."""
    program = find_browser()
    if program is None:
        sys.exit("no Chromium is on PATH; on Debian: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder, Browser(program) as browser, browser.page(1180, 800) as page:
        run = make_run(Path(folder, ".buzzflow", "runs", "20261122-101500-3f9a"), good())
        page.open(write_report(run, fitting=advise_run(run)).as_uri())
        page.screenshot(TARGET, full=False)
    print(f"wrote {TARGET.name}")


if __name__ == "__main__":
    main()
