"""Write the documentation's site: ``python scripts/site [FOLDER]``, by default reports/site.

Its pages are the Markdown below docs/ and of the repository, and what the code declares of each
experiment. Sphinx makes HTML of them, and ends with 1 if a reference is broken.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import experiment_pages
import navigation
import notebook_page
import repository_pages
from sphinx.cmd.build import main as sphinx

from cnbench.experiments import registry

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def compose(folder: Path) -> None:
    """Write every page of the site to ``folder``, which is there and empty, as Markdown."""
    shutil.copytree(ROOT / "docs", folder, dirs_exist_ok=True)
    for name, text in repository_pages.pages(ROOT).items():
        (folder / name).write_text(text)
    experiments = folder / "experiments"
    experiments.mkdir(exist_ok=True)
    for name in registry.names():
        place = experiments / f"{name}.md"
        by_hand = place.read_text() if place.exists() else f"# {name}\n"
        place.write_text(experiment_pages.page(name, by_hand))
    tree = navigation.tree("", registry.names())
    (experiments / "index.md").write_text(f"{experiment_pages.overview()}\n{tree}")
    for notebook in sorted((ROOT / "docs").glob("*.ipynb")):
        for name, content in notebook_page.pages(notebook).items():
            (folder / name).write_bytes(content)
    with (folder / "index.md").open("a") as index:
        index.write("\n" + navigation.trees(page.stem for page in folder.glob("*.md")))


def build(site: Path) -> int:
    """Write the site; what Sphinx warns of is an error. Returns an exit status."""
    with tempfile.TemporaryDirectory() as made:
        pages, trees = Path(made, "pages"), Path(made, "trees")
        pages.mkdir()
        compose(pages)
        options = ["--quiet", "--fail-on-warning", "--keep-going", "--jobs", "1"]
        places = ["-c", str(HERE), "-d", str(trees), str(pages), str(site)]
        return int(sphinx([*options, *places]))


if __name__ == "__main__":
    sys.exit(build(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "reports/site"))
