"""Take docs/comment.png: what `compare --format markdown` says, as a pull request shows it.

    scripts/comment_picture.py BASE HEAD [COMPARE'S OPTIONS]

Needs Chromium, headless and without any network. GitHub's style sheet is not fetched: letters and
widths are those of its pages.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from markdown_it import MarkdownIt
from pictures import take

_PICTURE = Path(__file__).parent.parent / "docs/comment.png"
_WIDTH, _HEIGHT = 920, 640
_PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 24px auto; width: 820px; font: 14px/1.5 system-ui, "Liberation Sans", sans-serif;
  color: #1f2328; background: #fff; }}
article {{ border: 1px solid #d1d9e0; border-radius: 6px; padding: 4px 16px 12px; }}
h3 {{ font-size: 1.25em; margin: 16px 0; }}
table {{ border-collapse: collapse; margin: 0 0 16px; }}
th, td {{ border: 1px solid #d1d9e0; padding: 6px 13px; }}
tr:nth-child(2n) {{ background: #f6f8fa; }}
ul {{ padding-left: 2em; }} details {{ margin: 8px 0; }}
code {{ background: #818b981f; padding: .2em .4em; border-radius: 6px; font-size: 85%; }}
</style><article>{body}</article>"""


def page_of(comment: str) -> str:
    """A comment as a page; what is folded stays so."""
    return _PAGE.format(
        body=MarkdownIt("commonmark", {"html": True}).enable("table").render(comment)
    )


def main() -> None:
    """Compare, and take the picture."""
    argv = [sys.executable, "-m", "cnbench", "compare", *sys.argv[1:], "--format", "markdown"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if not done.stdout:
        raise SystemExit(done.stderr)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "comment.html")
        page.write_text(page_of(done.stdout))
        take(page, _PICTURE, _WIDTH, _HEIGHT)


if __name__ == "__main__":
    main()
