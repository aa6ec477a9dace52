"""Take docs/answers.png and docs/report.png anew, of a run: scripts/pictures.py [RUN].

Needs Chromium, headless and without any network.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from cnbench.analysis.answers import answers_of
from cnbench.analysis.chapters import chapters_of
from cnbench.cli.results.answers_text import print_answers
from cnbench.core.run import Run
from cnbench.report.html import write
from cnbench.store import run_file
from cnbench.store.runs import find_run

_DOCS = Path(__file__).parent.parent / "docs"
_COLUMNS = 100
# Of Chromium's monospaced letters at 15 px, and the page's margins.
_COLUMN, _LINE, _MARGIN = 9.05, 21, 32
_SCREEN = 1280, 1180
_PAGE = """<!doctype html><meta charset="utf-8">
<body style="margin: 0; padding: 16px; background: #1e1e1e; color: {foreground}">
<pre style="margin: 0; font: 15px/21px monospace">$ make bench
{code}</pre>"""
_OFFLINE = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--hide-scrollbars",
)


def main(name: str) -> None:
    """Both pictures of the run called ``name``."""
    run = run_file.read(find_run(name))
    with tempfile.TemporaryDirectory() as folder:
        report, terminal = Path(folder, "report.html"), Path(folder, "terminal.html")
        write([run], report)
        take(report, _DOCS / "report.png", *_SCREEN)
        text, lines = answers_in_a_terminal(run)
        terminal.write_text(text)
        size = round(_COLUMNS * _COLUMN + _MARGIN), (lines + 1) * _LINE + _MARGIN
        take(terminal, _DOCS / "answers.png", *size)


def answers_in_a_terminal(run: Run) -> tuple[str, int]:
    """The answers as a terminal shows them, as a page; and how many lines they are."""
    out = Console(record=True, width=_COLUMNS, file=io.StringIO(), force_terminal=True)
    print_answers(out, answers_of(chapters_of([run])))
    lines = out.export_text(clear=False, styles=False).count("\n")
    return out.export_html(theme=MONOKAI, code_format=_PAGE, inline_styles=True), lines


def take(page: Path, picture: Path, width: int, height: int) -> None:
    """A picture of the first screen of a page."""
    with tempfile.TemporaryDirectory() as profile:
        argv = ["chromium", *_OFFLINE, f"--user-data-dir={profile}", f"--screenshot={picture}"]
        argv += [f"--window-size={width},{height}", page.as_uri()]
        subprocess.run(argv, check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "latest")
