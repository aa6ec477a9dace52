"""50,000 services: a block in iptables mode, filling a node, IPVS on a clock that counts."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from speed.blocks import ANOTHER_BLOCK, FIRST_BLOCK, times_of, used_by_run
from speed.row import Figure, Row
from speed.sides import CPU_TIME, MEMORY, WALL, Side


def _build_guest(side: Side, folder: Path) -> None:
    side.done([side.cnbench, "guest", "build"], folder)


def rows(*, reduced: bool) -> list[Row]:
    """The rows of this file."""
    services = 200 if reduced else 50_000
    connect = ("service-routing", "-p", "measure=connect", "-p", f"services={services}")
    on_host = (*connect, "--lab", "host")
    return [
        Row("iptables", f"iptables, {services:,} services: first packets",
            (Figure(WALL, "s", None), Figure(FIRST_BLOCK, "s", None),
             Figure(ANOTHER_BLOCK, "s", 1 / 3)),
            partial(times_of, (*on_host, "-p", "mode=iptables")), large=True),
        Row("nftables-fill", f"nftables: filling {services:,} services, and the fewest blocks",
            (Figure(CPU_TIME, "s", 1 / 2), Figure(MEMORY, "B", None), Figure(WALL, "s", None)),
            partial(used_by_run, (*on_host, "-p", "mode=nftables", "--budget", "1s")), large=True,
            limit="of each service's map the kernel walks all others three times, which both builds"
            " leave it (nft itself makes it five): 21 ns a step up to 20,000 maps, 88 ns of 50,000,"
            " which no longer fit into caches; all else of a filling is 17 of its 347 s"),
        Row("ipvs-counted", f"IPVS, {services:,} services in the emulated guest",
            (Figure(WALL, "s", 1 / 4),),
            partial(used_by_run, (*connect, "-p", "mode=ipvs", "--clock", "instructions")),
            _build_guest, large=True,
            limit="for each address that the node takes the kernel walks all that it has twice"
            " (find_matching_ifa, __inet_insert_ifa), and A' has a node of its own: 10,000 services"
            " take 35 s, 20,000 take 85. Whoever asks again goes on from the saved set-up"),
    ]  # fmt: skip
