"""Pages of the site that are files of the repository, read where they are."""

from __future__ import annotations

import re
from pathlib import Path

# The name of the page by that of the file.
FILES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "asv.md",
}
_LINK = re.compile(r"(?<=\]\()(?!https?:|#|mailto:)([^)\s#]+)")


def pages(root: Path) -> dict[str, str]:
    """The text of each page, whose links lead to where on the site the files they name are."""
    return {page: _text(root, file) for file, page in FILES.items()}


def _text(root: Path, file: str) -> str:
    folder = (root / file).parent

    def on_the_site(link: re.Match[str]) -> str:
        named = str((folder / link[0]).resolve().relative_to(root))
        return FILES.get(named, named.removeprefix("docs/"))

    return _LINK.sub(on_the_site, (root / file).read_text())
