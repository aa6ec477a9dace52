"""From a trace to the functions of one case: which part it is, and whose each instruction is."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_up_traces import IDLER, IN_TABLE, LISTED, OTHERS, TABLE, THREAD, MadeUp

from cnbench.analysis.profile.span import Span, find_span
from cnbench.analysis.profile.stacks import self_counts, stacks_of, total_counts
from cnbench.analysis.profile.symbols import functions_of
from cnbench.analysis.profile.trace import Trace, read_trace
from cnbench.core.errors import CnbenchError
from cnbench.lab.guest.tracing import symbols

STACK = ("the measuring process", "entry_SYSCALL_64", "do_connect")


def connections(folder: Path, *rules: int) -> Trace:
    made_up = MadeUp()
    for number in rules:
        made_up.connection(number)
    return read_trace(made_up.written(folder))


def found(trace: Trace, *figures: float) -> Span:
    span = find_span(trace, figures)
    assert span is not None
    return span


def test_the_part_is_found_whose_length_is_the_figure(tmp_path: Path) -> None:
    span = found(connections(tmp_path, 90, 91, 92), 1010)
    assert (span.instructions, span.off) == (1010, 0)


def test_every_instruction_of_the_part_is_some_stacks(tmp_path: Path) -> None:
    trace = connections(tmp_path, 90, 91)
    stacks = stacks_of(trace, found(trace, 1010), functions_of(LISTED))
    assert stacks == {
        (*STACK, "walk", "ipt_do_table [ip_tables]"): 910,
        STACK: 50,
        STACK[:2]: 30,
        (STACK[0], "[user space]"): 20,
    }


def test_a_functions_own_and_what_it_called_are_told_apart(tmp_path: Path) -> None:
    trace = connections(tmp_path, 90)
    stacks = stacks_of(trace, found(trace, 1000), functions_of(LISTED))
    assert next(iter(self_counts(stacks).items())) == ("ipt_do_table [ip_tables]", 900)
    assert self_counts(stacks)["[user space of the measuring process]"] == 20
    assert total_counts(stacks)["walk"] == 900
    assert total_counts(stacks)["do_connect"] == 950
    assert "walk" not in self_counts(stacks)


def test_what_the_idler_ran_is_left_out_where_the_figure_leaves_it_out(tmp_path: Path) -> None:
    made_up = MadeUp()
    for waited in (40_000, 70_000):
        made_up.count(THREAD, 5, 333).reading().count(THREAD, 5, 500)
        made_up.count(IDLER, OTHERS, waited).count(IN_TABLE, TABLE, 100).reading()
    trace = read_trace(made_up.written(tmp_path))
    span = found(trace, 600, 600)
    assert span.left_out == IDLER
    assert sum(stacks_of(trace, span, functions_of(LISTED)).values()) == 600


def test_readings_that_an_action_makes_itself_are_inside_it(tmp_path: Path) -> None:
    made_up = MadeUp()
    for _ in range(3):
        made_up.count(THREAD, 5, 999).reading()
        made_up.count(IN_TABLE, TABLE, 250).reading().count(IN_TABLE, TABLE, 450).reading()
    trace = read_trace(made_up.written(tmp_path))
    span = found(trace, 700, 700, 700)
    assert span.last - span.first == 1


def test_a_figure_that_is_no_difference_of_readings_has_no_part(tmp_path: Path) -> None:
    assert find_span(connections(tmp_path, 90, 91), [123_456]) is None


def test_one_part_that_fits_by_chance_is_not_enough(tmp_path: Path) -> None:
    assert find_span(connections(tmp_path, 90, 91), [1000, 5000, 6000]) is None


def test_what_comes_after_the_last_reading_is_nobodys(tmp_path: Path) -> None:
    trace = read_trace(MadeUp().connection(3).count(THREAD, 5, 12345).written(tmp_path))
    assert trace.count.sum() == 7777 + 130


def test_a_trace_without_a_reading_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CnbenchError, match="did not read its clock"):
        read_trace(MadeUp().count(THREAD, 5, 1).written(tmp_path))


def test_variants_of_a_function_have_its_name_and_aliases_are_one() -> None:
    functions = functions_of(
        "ffffffff81000000 t a.part.0.cold\nffffffff81000000 t b\n"
        "ffffffff81000010 T c.constprop.3\t[mod]"
    )
    assert functions.at(0xFFFF_FFFF_8100_0000) == "a"
    assert functions.at(0xFFFF_FFFF_8100_0999) == "c [mod]"
    assert functions.at(0xFFFF_FFFF_8000_0000) == "[unknown]"
    assert functions.at(0x5555_0000_0000) == "[user space]"


def test_a_kernel_tells_of_its_functions_and_of_nothing_else() -> None:
    listing = (
        b"ffffffff81000000 T run\nffffffff82000000 D some_data\nffffffffc0000000 t go\t[mod]\n"
    )
    told = symbols.functions(listing)
    assert told == "ffffffff81000000 T run\nffffffffc0000000 t go\t[mod]"
