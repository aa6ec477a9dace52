"""``cnbench schedule``: where a pod would go and why, and what would change that."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from cnbench.cli.kubernetes import schedule_tables as tables
from cnbench.cli.kubernetes.schedule_question import Question, Source, amount_of
from cnbench.cli.options import json_option
from cnbench.scheduler.errors import UnmodelledWarning
from cnbench.scheduler.inputs.openb import ALL_NODES, DEFAULT_PODS

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command("schedule")
@click.option(
    "--from",
    "cluster",
    type=_FILE,
    help="Nodes, pods and what else there is, as kubectl prints them; - is stdin.",
)
@click.option("--trace", type=_FOLDER, help="A folder with the openb trace, in place of --from.")
@click.option("--trace-nodes", default=ALL_NODES, show_default=True, help="Its list of nodes.")
@click.option("--trace-pods", default=DEFAULT_PODS, show_default=True, help="Its list of pods.")
@click.option("--pod", type=_FILE, help="A pod, or a workload whose pod is meant; YAML or JSON.")
@click.option("--release", help="Kubernetes' release, 1.20 to 1.36; by default the nodes' own.")
@click.option("--config", type=_FILE, help="A KubeSchedulerConfiguration.")
@click.option("--profile", default="", help="Its profile, by schedulerName.")
@click.option("--weight", "weights", multiple=True, metavar="SCORE=N", help="Another weight.")
@click.option(
    "--other-release", multiple=True, metavar="RELEASE", help="Say what this one would change."
)
@click.option(
    "--other-weight", multiple=True, metavar="SCORE=N", help="Say what this one would change."
)
@click.option("--place", is_flag=True, help="First place the pods that wait, in their order.")
@click.option("--drain", multiple=True, metavar="NODE", help="Without this node; its pods move.")
@click.option(
    "--add-nodes", "added", multiple=True, metavar="N=NODE", help="With N more nodes like NODE."
)
@json_option
def command(
    cluster: Path | None,
    trace: Path | None,
    trace_nodes: str,
    trace_pods: str,
    pod: Path | None,
    release: str | None,
    config: Path | None,
    profile: str,
    weights: Sequence[str],
    other_release: Sequence[str],
    other_weight: Sequence[str],
    place: bool,
    drain: Sequence[str],
    added: Sequence[str],
    as_json: bool,
) -> None:
    """Say where a pod would go and by which scores, or why it is pending.

    Without --pod every pending pod is asked about. --place places the pods that wait first; --drain
    and --add-nodes then change the nodes and place the pods that wait now. What became of them is
    told. Nothing is changed anywhere.

    \b
    Examples:
      kubectl get nodes,pods,svc,ns,rs,sts,pvc,pv,sc -A -o json > cluster.json
      cnbench schedule --from cluster.json --pod pod.yaml
      cnbench schedule --from cluster.json --pod pod.yaml --other-release 1.20 \\
        --other-weight ImageLocality=10
      cnbench schedule --from cluster.json --drain node-7 --add-nodes 2=node-1
      cnbench schedule --trace openb --place --drain openb-node-0000
    """
    with _told() as warned:
        source = Source.of(cluster, trace, trace_nodes, trace_pods)
        question = Question(source, release, config, profile, dict(map(amount_of, weights)))
        outcomes = {}
        if place:
            outcomes["placed"] = question.place()
        if drain or added:
            outcomes["changed"] = question.change(drain, added)
        pods = [source.pod(pod)] if pod else list(question.world.pending)
        shown = pods if pod else pods[: tables.MOST_PENDING]
        answers = [question.answer(asked, other_release, other_weight) for asked in shown]
    if as_json:
        whole = {
            "release": str(question.release),
            "what_if": {name: outcome.as_json() for name, outcome in outcomes.items()},
            "pods": [answer.as_json() for answer in answers],
            "pending": len(question.world.pending),
            "warnings": warned,
        }
        click.echo(json.dumps(whole))
        return
    for text in warned:
        click.echo(f"cnbench: not heeded: {text}", err=True)
    tables.show(question, outcomes, answers, left_out=len(pods) - len(shown))


@contextmanager
def _told() -> Iterator[list[str]]:
    """Collects what is not heeded, each sentence once."""
    texts: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UnmodelledWarning)
        yield texts
    texts += dict.fromkeys(
        str(warning.message)
        for warning in caught
        if issubclass(warning.category, UnmodelledWarning)
    )
