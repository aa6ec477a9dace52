"""Tables at any width: nothing is cut, and what tells rows apart stands beside all figures."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from cnbench.cli.wide_tables import Column, console, print_table

WORDS = st.text("abcdefgh", min_size=1, max_size=14)


def printed(columns: list[Column], width: int, title: str = "") -> list[str]:
    out = io.StringIO()
    print_table(Console(file=out, width=width, highlight=False), columns, title)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def column(name: str, *cells: str, **what: bool) -> Column:
    return Column(name, cells, **what)


def test_what_fits_is_one_table_and_what_is_constant_is_in_its_title() -> None:
    columns = [
        column("mode", "ipvs", "nftables", telling=True),
        column("services", "100", "100", telling=True),
        column("connect", "73 µs", "60 µs", right=True),
        column("proof", "✓", "✓", about=True),
    ]
    assert printed(columns, 60, "service-routing") == [
        "service-routing  services=100  proof ✓",
        "mode      connect",
        "─────────────────",
        "ipvs        73 µs",
        "nftables    60 µs",
    ]


def test_equal_figures_are_figures_all_the_same() -> None:
    columns = [column("mode", "a", "b", telling=True), column("cost", "1 s", "1 s")]
    assert printed(columns, 60)[0].split() == ["mode", "cost"]


def test_a_wide_table_is_folded_with_the_telling_columns_in_each_part() -> None:
    modes = ("iptables", "nftables")
    columns = [
        column("mode", *modes, telling=True),
        *(column(f"metric{n}", f"value{n}a", f"value{n}b") for n in range(6)),
    ]
    lines = printed(columns, 40)
    for n in range(6):
        for mode, letter in zip(modes, "ab", strict=True):
            assert any(line.startswith(mode) and f"value{n}{letter}" in line for line in lines)


def test_what_is_wide_even_beside_its_telling_columns_gets_a_heading_a_value() -> None:
    columns = [
        column("backend", "vxlan", "vxlan", "host-gw", telling=True),
        column("traffic", "tcp-stream", "udp-rr", "udp-rr", telling=True),
        column("cost", "552 ns/KiB 540 – 560", "7 µs 6 – 8", "3 µs 2 – 4"),
    ]
    lines = printed(columns, 34)
    assert lines.index("backend vxlan") < lines.index("backend host-gw  traffic=udp-rr")
    assert any(line.split()[:2] == ["tcp-stream", "552"] for line in lines)


@given(st.data(), st.integers(1, 6), st.integers(1, 8), st.integers(40, 120))
def test_no_line_is_too_wide_and_no_cell_is_cut(
    data: st.DataObject, rows: int, count: int, width: int
) -> None:
    columns = [
        Column(
            data.draw(WORDS),
            tuple(data.draw(st.lists(WORDS, min_size=rows, max_size=rows))),
            telling=data.draw(st.booleans()) and number < 2,
            about=data.draw(st.booleans()),
            right=data.draw(st.booleans()),
        )
        for number in range(count)
    ]
    lines = printed(columns, width)
    text = "\n".join(lines)
    assert all(len(line) <= width for line in lines)
    assert "…" not in text
    for one in columns:
        for cell in one.cells:
            assert cell in text


@given(st.lists(st.text("ab ", min_size=1, max_size=90), min_size=1, max_size=3))
def test_sentences_are_wrapped_between_words(cells: list[str]) -> None:
    columns = [
        column("case", *map(str, range(len(cells))), telling=True),
        Column("why", tuple(cells), sentences=True),
        Column("remedy", tuple(cells), sentences=True),
    ]
    assert all(len(line) <= 100 for line in printed(columns, 100))


@pytest.mark.parametrize(("columns", "width"), [("80", 80), ("", 240)])
def test_the_width_without_a_terminal(
    columns: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert console().width == width
