"""Draws docs/report.png anew: the first screen of the report on a run, as a browser shows it.

    .venv/bin/python scripts/report_picture.py [RUN] [-o docs/report.png]

Needs Chromium, which ``scripts/setup test`` installs.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from cnbench.report import html
from cnbench.store import run_file
from cnbench.store.runs import find_run

ROOT = Path(__file__).resolve().parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Nothing is looked for in the network; a container has no sandbox and no graphics card.
OPTIONS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def main() -> None:
    """Render the report on a run, and keep what its first screen shows."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", nargs="?", default="latest")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs/report.png")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=1180)
    parser.add_argument("--dark", action="store_true")
    options = parser.parse_args()
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        raise SystemExit("no Chromium is installed: scripts/setup test")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as started:
        page = Path(folder, "report.html")
        html.write([run_file.read(find_run(options.run))], page)
        # Each start has a new profile in a temporary folder, which goes with it.
        chromium = started.chromium.launch(executable_path=browser, args=OPTIONS)
        tab = chromium.new_page(
            viewport={"width": options.width, "height": options.height},
            color_scheme="dark" if options.dark else "light",
            offline=True,
        )
        tab.goto(page.as_uri())
        tab.screenshot(path=options.output)
        chromium.close()


if __name__ == "__main__":
    main()
