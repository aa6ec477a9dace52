"""The answers of ``cnbench schedule`` in a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cnbench.cli.kubernetes.schedule_question import Answer, Question
from cnbench.cli.wide_tables import console
from cnbench.scheduler.questions.explanation import Explanation
from cnbench.scheduler.questions.what_if import Outcome

# What fits a screen; --json has the rest, but for the number of pending pods asked about.
MOST_PENDING = 20
_MOST_NODES = 10
_MOST_NAMES = 5
_WHEN = {"placed": "As it is", "changed": "With the nodes changed"}


def show(
    question: Question, outcomes: Mapping[str, Outcome], answers: Sequence[Answer], left_out: int
) -> None:
    """Print what changed, then each pod's answer."""
    out = console()
    out.print(f"[dim]as Kubernetes {question.release} schedules[/]")
    for name, outcome in outcomes.items():
        _show_outcome(out, _WHEN[name], outcome)
    if not answers and not outcomes:
        out.print("No pod is pending.")
    for answer in answers:
        _show_answer(out, answer)
    if left_out:
        out.print(f"[dim]{left_out} more pending pods are not shown; ask about one with --pod[/]")


def _show_outcome(out: Console, when: str, outcome: Outcome) -> None:
    waited = len(outcome.placed) + len(outcome.pending)
    out.print(
        f"{when}: of {waited:,} pods that waited {len(outcome.placed):,} found a node and"
        f" {len(outcome.pending):,} did not; {outcome.nodes_used:,} of {outcome.nodes:,} nodes"
        " run pods."
    )
    targets = Counter(placed.node for placed in outcome.placed).most_common(_MOST_NAMES)
    if targets:
        told = ", ".join(f"{escape(node)} {count:,}" for node, count in targets)
        out.print(f"Most went to: {told}.")


def _show_answer(out: Console, answer: Answer) -> None:
    main = answer.main
    out.print()
    if main.node is None:
        out.print(f"[bold]{escape(main.pod)}[/] is pending: none of {main.nodes:,} nodes will do.")
    else:
        out.print(
            f"[bold]{escape(main.pod)}[/] goes to [bold]{escape(main.node)}[/],"
            f" one of {len(main.scored):,} feasible nodes of {main.nodes:,}."
        )
    if main.rejected:
        out.print(_reasons(main))
    if main.scored:
        out.print(_scores(main))
    for other in answer.others:
        node = other.answer.node
        told = "it would be pending" if node is None else f"it would go to {escape(node)}"
        same = node == main.node
        out.print(f"With {escape(other.what)} {'nothing changes' if same else told}.")


def _reasons(main: Explanation) -> Table:
    table = Table(title="Why not the others", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("nodes", justify="right")
    table.add_column("reason")
    table.add_column("such as")
    for reason, count in main.reasons:
        nodes = [node for node, reasons in main.rejected.items() if reason in reasons]
        more = ", ..." if count > _MOST_NAMES else ""
        names = escape(", ".join(nodes[:_MOST_NAMES]) + more)
        table.add_row(f"{count:,}", escape(reason), names)
    return table


def _scores(main: Explanation) -> Table:
    title = f"Scores times weights, the best {min(_MOST_NODES, len(main.scored))} nodes"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("node")
    table.add_column("total", justify="right")
    for plugin, weight in main.weights.items():
        table.add_column(f"{escape(plugin)} ×{weight}", justify="right")
    for scored_node in main.scored[:_MOST_NODES]:
        parts = [str(scored_node.parts[plugin]) for plugin in main.weights]
        table.add_row(escape(scored_node.node), str(scored_node.total), *parts)
    return table
