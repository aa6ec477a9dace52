"""The documentation's site: whole, without a broken reference, and readable without a network."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import links
import pytest

from cnbench.experiments import registry

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / ".cache/axe/node_modules/axe-core/axe.min.js"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LOOKED_AT = ["index.html", "notebook.html", "experiments/service-routing.html"]
SCREENS = [(390, "light"), (390, "dark"), (1280, "light"), (1920, "dark")]
# What is cut off at the right: wider than the screen, in nothing that can be scrolled.
CUT = """() => [...document.querySelectorAll('article *')].filter(part => {
  for (let box = part; box && box.tagName != 'ARTICLE'; box = box.parentElement)
    if (['auto', 'scroll'].includes(getComputedStyle(box).overflowX)) return false;
  return part.getBoundingClientRect().right > document.documentElement.clientWidth + 1;
}).map(part => `${part.tagName}: ${part.innerText || part.outerHTML}`.slice(0, 80))"""
FINDINGS = """async () => (await axe.run(document.querySelector('article'))).violations
  .filter(found => ['serious', 'critical'].includes(found.impact))
  .map(found => `${found.id}: ${found.help}: ${found.nodes[0].html.slice(0, 120)}`)"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` writes it, which fails where a reference is broken."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/site", folder], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def test_each_experiment_has_a_page_that_answers_what_a_reader_asks(site: Path) -> None:
    for name, experiment in registry.all_experiments().items():
        page = (site / f"experiments/{name}.html").read_text()
        assert experiment.question.replace("'", "&#39;") in page.replace("'", "&#39;")
        for heading in ("How it is measured", "What proves it", "Parameters", "Metrics"):
            assert f"<h2>{heading}" in page, f"{name} has no {heading}"


def test_what_was_written_by_hand_is_of_an_experiment_and_says_how_to_read_it() -> None:
    written = {page.stem: page.read_text() for page in (ROOT / "docs/experiments").glob("*.md")}
    assert set(written) <= set(registry.names())
    for name, text in written.items():
        assert text.startswith(f"# {name}\n"), name
        assert "\n## How to read it\n" in text, name
        assert "\n## Traps\n" in text, name


def test_every_reference_leads_somewhere(site: Path) -> None:
    assert list(links.broken(site)) == []


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    assert list(links.from_elsewhere(site)) == []


def test_the_checks_of_references_ring(tmp_path: Path) -> None:
    (tmp_path / "b.html").write_text('<h2 id="there">')
    (tmp_path / "a.html").write_text(
        '<a href="b.html#there"></a><a href="b.html#gone"></a><a href="c.html"></a>'
        '<a href="https://example.org"></a><img src="d.png"><script src="//example.org/x.js">'
        "</script><style>@import url(https://example.org/font.css)</style>"
    )
    assert list(links.broken(tmp_path)) == [
        f"a.html: {r}" for r in ("b.html#gone", "c.html", "d.png")
    ]
    assert list(links.from_elsewhere(tmp_path)) == [
        "a.html: //example.org/x.js",
        "a.html: url(https://example.org/font.css",
    ]


def test_a_broken_reference_ends_the_build(tmp_path: Path) -> None:
    """The gate of `make docs`, on two pages instead of all."""
    from sphinx.cmd.build import main as sphinx

    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "index.md").write_text("# One\n\n[elsewhere](nowhere.md), [here](#no-such-heading)\n")
    options = ["-q", "--fail-on-warning", "-c", str(ROOT / "scripts/site")]
    assert sphinx([*options, str(pages), str(tmp_path / "site")]) != 0
    (pages / "index.md").write_text("# One\n\n[here](#one)\n")
    assert sphinx([*options, str(pages), str(tmp_path / "site")]) == 0


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("no Chromium is installed (scripts/setup test installs it, as root)")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        yield opened
        opened.close()


@pytest.fixture
def opened(browser: Any, site: Path) -> Iterator[Any]:
    """Opens a page of the site; what it fetched is in ``fetched``."""
    contexts = []

    def open_page(name: str, width: int, scheme: str) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
        )
        contexts.append(context)
        page = context.new_page()
        open_page.fetched = []  # type: ignore[attr-defined]
        page.on("request", lambda request: open_page.fetched.append(request.url))  # type: ignore[attr-defined]
        page.goto(f"{site.as_uri()}/{name}")
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_nothing_is_cut_and_nothing_fetched(opened: Any, width: int, scheme: str) -> None:
    for name in LOOKED_AT:
        page = opened(name, width, scheme)
        assert page.evaluate(CUT) == [], name
        assert [url for url in opened.fetched if not url.startswith("file:")] == []


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_axe_finds_nothing_serious(opened: Any, width: int, scheme: str) -> None:
    for name in LOOKED_AT:
        page = opened(name, width, scheme)
        page.evaluate(axe())
        assert page.evaluate(FINDINGS) == [], name


@pytest.mark.slow
def test_the_checks_of_a_screen_ring(opened: Any) -> None:
    page = opened("notebook.html", 390, "light")
    page.add_style_tag(content="article p { width: 900px; color: #ddd }")
    assert page.evaluate(CUT)
    page.evaluate(axe())
    assert any(found.startswith("color-contrast") for found in page.evaluate(FINDINGS))


def axe() -> str:
    if not AXE.exists():
        pytest.skip("axe-core is not installed (scripts/setup test installs it, with npm)")
    return AXE.read_text()


@pytest.mark.slow
def test_the_search_works_in_files(opened: Any) -> None:
    page = opened("search.html?q=hairpin", 1280, "light")
    page.wait_for_selector("ul.search li a")
    assert "service-routing" in page.inner_text("ul.search")
    assert [url for url in opened.fetched if not url.startswith("file:")] == []
