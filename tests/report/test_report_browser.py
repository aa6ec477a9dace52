"""The page in a browser: nothing is cut or meets at any width, on paper, light or dark; axe agrees.

Each check is shown to ring as well, on a page that was spoilt.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from synthetic_runs import a_run, fingerprint, result, whole_run

from cnbench.analysis.fleet.fleet import fleet_of
from cnbench.core.metric import Metric
from cnbench.core.run import ExperimentRecord, Run
from cnbench.report import fleet as fleet_page
from cnbench.report.html import render
from cnbench.store.profiles import Profile

pytestmark = pytest.mark.slow

AXE = Path(__file__).resolve().parents[2] / ".cache/axe/node_modules/axe-core/axe.min.js"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# No part of a test looks for the network, and a container has no sandbox and no graphics card.
OPTIONS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
SCREENS = [(390, "light"), (1280, "light"), (1280, "dark"), (1920, "light")]
A4 = 794  # CSS pixels of its width

CUT = """() => [...document.querySelectorAll('html, .table, .multiples, .plots')]
  .filter(box => box.scrollWidth > box.clientWidth + 1)
  .map(box => `${box.className || 'page'}: ${box.scrollWidth} in ${box.clientWidth}: `
    + box.innerText.slice(0, 60))"""
PROOFS_OUTSIDE = """() => [...document.querySelectorAll('td.proof')].filter(cell =>
  cell.getBoundingClientRect().right > document.documentElement.clientWidth + 1).length"""
MEETING = """() => [...document.querySelectorAll('svg.plot')].flatMap(plot => {
  const texts = [...plot.querySelectorAll('text')].filter(text => text.textContent.trim())
    .map(text => [text.textContent, text.getBoundingClientRect()]);
  return texts.flatMap(([one, a], n) => texts.slice(n + 1).filter(([other, b]) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3)
    .map(([other, b]) => `${plot.getAttribute('aria-label')}: ${one} / ${other}`));
})"""
FINDINGS = """async () => (await axe.run(document)).violations
  .filter(found => ['serious', 'critical'].includes(found.impact))
  .map(found => `${found.id}: ${found.help}: ${found.nodes[0].html.slice(0, 120)}`)"""

WIDE = ExperimentRecord(
    question="How wide may a table become?",
    variant="backend",
    metrics=tuple(
        Metric(f"a_metric_with_a_long_name_{n}", "s/B", "lower", "ratio", "CPU time per byte")
        for n in range(9)
    ),
    parameters={"backend": "", "traffic": "", "size": "B", "offloads": "", "direction": ""},
)


def wide_run(id: str, slower: float = 1.0) -> Run:
    """48 cases of nine metrics, from nanoseconds to milliseconds for a byte."""
    run = a_run({"pod-network-like": WIDE}, id=id, environments=[fingerprint("host", "wall", "6")])
    points = product(
        ("host-gw", "vxlan", "ipip-cross-subnet", "wireguard"),
        ("tcp-stream", "tcp-rr"),
        (1, 64, 65536),
        ("on", "off"),
    )
    for number, (backend, traffic, size, offloads) in enumerate(points):
        params = {
            "backend": backend,
            "traffic": traffic,
            "size": size,
            "offloads": offloads,
            "direction": "forward",
        }
        values = {m.name: slower * 1e-10 * 10 ** (number % 7) for m in WIDE.metrics}
        run.cases.append(result(run, "pod-network-like", params, values))
    return run


def of_a_fleet() -> str:
    """The page of eight nodes with long names, of which one is slow."""
    runs = []
    for number in range(8):
        run = wide_run(f"20260101-000000-{number:04}", 1.5 if number == 3 else 1 + number / 1000)
        run.node = f"ip-10-0-{number}-17.eu-central-1.compute.internal"
        runs.append((Path(run.id), run))
    fleet = fleet_of(runs)
    assert len(fleet.odd) == 1
    return fleet_page.render(fleet)


PROFILE = Profile(
    next(result.case for result in whole_run().cases if result.status == "ok"),
    *("connect", "6.12.1", 1000.0),
    {
        "the measuring process;do_connect;ipt_do_table [ip_tables]": 750,
        "the measuring process;do_connect;" + ";".join(f"called_{n}" for n in range(40)): 240,
        "the measuring process;[user space]": 10,
    },
    "2026-01-01T00:00:00+00:00",
)
PAGES = {
    "a run": lambda: render([whole_run()], profiles=[PROFILE]),
    "a comparison": lambda: render(
        [wide_run("20260101-000000-aaaa"), wide_run("20260102-000000-bbbb", 1.1)]
    ),
    "a fleet": of_a_fleet,
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium is installed (scripts/setup test installs it, as root)")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        # Each start has a new profile in a temporary folder, which goes with it.
        browser = started.chromium.launch(executable_path=found, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("pages")
    for name, page in PAGES.items():
        (folder / f"{name}.html").write_text(page())
    return {name: (folder / f"{name}.html").as_uri() for name in PAGES}


@pytest.fixture
def opened(browser: Any) -> Iterator[Any]:
    """Opens a page on a screen of some width, in light or dark."""
    contexts = []

    def open_page(address: str, width: int, scheme: str = "light") -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            bypass_csp=True,  # the page forbids scripts, and axe is one
            offline=True,
        )
        contexts.append(context)
        page = context.new_page()
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_and_nothing_meets(
    opened: Any, pages: dict[str, str], name: str, width: int, scheme: str
) -> None:
    page = opened(pages[name], width, scheme)
    assert page.evaluate(CUT) == []
    assert page.evaluate(PROOFS_OUTSIDE) == 0
    assert page.evaluate(MEETING) == []


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_on_paper(opened: Any, pages: dict[str, str], name: str) -> None:
    page = opened(pages[name], A4)
    page.emulate_media(media="print")
    assert page.evaluate(CUT) == []
    assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(
    opened: Any, pages: dict[str, str], name: str, width: int, scheme: str
) -> None:
    page = opened(pages[name], width, scheme)
    page.evaluate(axe())
    assert page.evaluate(FINDINGS) == []


def axe() -> str:
    if not AXE.exists():
        pytest.skip("axe-core is not installed (scripts/setup test installs it, with npm)")
    return AXE.read_text()


def test_each_of_the_checks_rings(opened: Any, pages: dict[str, str]) -> None:
    page = opened(pages["a run"], 1280)
    page.add_style_tag(
        content="table { width: 3000px } .caption { color: #ddd }"
        " svg.plot text { font-size: 60px !important }"
    )
    assert any("3000" in found for found in page.evaluate(CUT))
    assert page.evaluate(PROOFS_OUTSIDE) > 0
    assert page.evaluate(MEETING)
    page.evaluate(axe())
    assert any(found.startswith("color-contrast") for found in page.evaluate(FINDINGS))
