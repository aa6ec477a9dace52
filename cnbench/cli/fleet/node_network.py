"""``cnbench fleet node-network``: the network between two members of a fleet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnbench.cli.fleet.options import credentials_of, require_dask, tls_options
from cnbench.cli.measure.measuring import recording
from cnbench.cli.options import Quantity, json_option
from cnbench.core.errors import CnbenchError, ExitCode, UsageError
from cnbench.core.run import CaseResult, Request, Run
from cnbench.measuring.events import CaseEnded
from cnbench.measuring.stop_rule import FEWEST_FOR_95_PERCENT
from cnbench.store import run_file
from cnbench.store.output import check
from cnbench.store.recorder import Recorder, new_run
from cnbench.store.runs import place_of

if TYPE_CHECKING:
    from distributed import Client

    from cnbench.fleet.node_network.accounts import Order

_LONGEST = 3600


@click.command("node-network")
@click.argument("client_node", metavar="CLIENT")
@click.argument("server_node", metavar="SERVER")
@click.option("--interface", required=True, metavar="NAME", help="By which they talk.")
@click.option("--server-interface", metavar="NAME", help="The server's, where it differs.")
@click.option(
    "--rate",
    type=Quantity("B/s", "a rate"),
    required=True,
    help="No more is sent than this: 100MB/s.",
)
@click.option(
    "--time",
    "seconds",
    type=Quantity("s", "a time"),
    required=True,
    help=f"For how long, {FEWEST_FOR_95_PERCENT} s to an hour; a sample takes one second.",
)
@click.option("--scheduler", required=True, metavar="ADDRESS", help="Dask's, tcp://HOST:PORT.")
@tls_options
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The run file to write.")
@click.option("--force", is_flag=True, help="Replace what is there, even if it is no run file.")
@json_option
def command(
    client_node: str,
    server_node: str,
    interface: str,
    server_interface: str | None,
    rate: float,
    seconds: float,
    scheduler: str,
    tls_ca_file: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Measure a TCP stream from CLIENT to SERVER, over the network that they have.

    Both are nodes with a `cnbench fleet worker`, and have iperf3. Nothing is sent but between the
    addresses of the interface that is named, at no more than --rate, and for no longer than --time
    and 1 MiB more for the proof. The server listens on port 5201 of that address meanwhile.

    \b
    Examples:
      cnbench fleet node-network node1 node2 --interface eth1 --rate 100MB/s \\
        --time 10s --scheduler tcp://10.0.0.1:8786
    """
    require_dask()
    if client_node == server_node:
        raise UsageError("a node has no network to itself", "name two nodes")
    samples = _samples(seconds)
    from cnbench.fleet import connecting
    from cnbench.fleet.node_network.accounts import Order
    from cnbench.fleet.node_network.measuring import ends_of

    if output:
        check(output, "run file", run_file.begins_one, force=force)
    named = ((client_node, interface), (server_node, server_interface or interface))
    credentials = credentials_of(tls_ca_file, tls_cert, tls_key)
    with connecting.connected(scheduler, credentials) as client:
        order = Order(*ends_of(client, connecting.Roll(client).require(), named), rate, samples)
        run, path = _measured(client, order, output)
    _show(run, path, as_json=as_json)


def _samples(seconds: float) -> int:
    from cnbench.fleet.node_network.accounts import SECONDS_EACH

    if not FEWEST_FOR_95_PERCENT * SECONDS_EACH <= seconds <= _LONGEST:
        raise UsageError(
            f"--time is from {FEWEST_FOR_95_PERCENT * SECONDS_EACH} s, which an interval takes, to"
            f" {_LONGEST} s",
            "give it between those",
        )
    return int(seconds / SECONDS_EACH)


def _measured(client: Client, order: Order, output: Path | None) -> tuple[Run, Path]:
    run = _new(order)
    path = output or place_of(run)
    near, far = order.client, order.server
    with recording(Recorder(run, path), lambda event: None) as listen:
        click.echo(
            f"{near.node} ({near.address}, {near.interface}) sends to {far.node} ({far.address},"
            f" {far.interface}) for {order.samples} s, {order.rate:.0f} B/s at most.",
            err=True,
        )
        listen(CaseEnded(_result(client, order)))
    return run, path


def _result(client: Client, order: Order) -> CaseResult:
    from cnbench.fleet.node_network.measuring import accounts_of
    from cnbench.fleet.node_network.result import case_of, result_of

    try:
        accounts = accounts_of(client, order)
    except CnbenchError as error:
        return CaseResult(case_of(order), 0, "failed", str(error), error.remedy)
    return result_of(order, *accounts)


def _new(order: Order) -> Run:
    """A run of no single node; it knows the environments of both, which may differ."""
    from cnbench.fleet.node_network import NAME
    from cnbench.fleet.node_network.accounts import SECONDS_EACH
    from cnbench.fleet.node_network.result import RECORD, case_of

    given = {NAME: {name: (value,) for name, value in case_of(order).params.items()}}
    budget = float(order.samples * SECONDS_EACH)
    run = new_run(Request((NAME,), False, given, "host", "wall", budget, seed=1), ())
    run.experiments[NAME] = RECORD
    run.node = ""
    for end in (order.client, order.server):
        run.fingerprints[end.fingerprint.digest] = end.fingerprint
    return run


def _show(run: Run, path: Path, *, as_json: bool) -> None:
    # Statistics take half a second to import.
    from cnbench.cli.results.show import show_run

    show_run(run, path, as_json=as_json)
    if any(result.status != "ok" for result in run.cases):
        raise click.exceptions.Exit(ExitCode.FAILED)
