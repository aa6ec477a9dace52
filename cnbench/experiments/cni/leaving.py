"""What is on a node because of its pods, and what one leaves that ends without DEL."""

from __future__ import annotations

from cnbench.containers.cni import Attachment
from cnbench.containers.enclave import Enclave
from cnbench.experiments.cni.networks import Network
from cnbench.experiments.cni.wiring import Wiring
from cnbench.lab.waiting import wait_until
from cnbench.network.devices import links

# Seconds in which the kernel has taken down the devices of a namespace that is gone.
_PATIENCE = 5.0
# What the node's end of a pair is called; whatever else is made on it does not go by itself.
_PAIRED = ("veth", "wired")


def on_node(enclave: Enclave, network: Network) -> set[str]:
    """Devices, addresses that are written down, and rules of iptables where they may be."""
    found = {f"device {name}" for name in links.names(enclave.network)}
    if network.leases.exists():
        found |= {f"address {file.name}" for file in network.leases.iterdir()}
    if network.has_rules:
        lines = enclave.run("iptables-save").output.splitlines()
        # Chains begin with a colon and have counters behind them; comments say when.
        found |= {line.split(" [")[0] for line in lines if not line.startswith("#")}
    return found


def await_devices_gone(enclave: Enclave, pod: Attachment | Wiring) -> None:
    """Wait until the node's ends of a pod's devices are gone with its namespace.

    Raises:
        CnbenchError: they were not within ``_PATIENCE`` seconds.
    """
    made = [str(interface["name"]) for interface in pod.result.get("interfaces", [])]
    ends = [name for name in made if name.startswith(_PAIRED)]
    wait_until(
        lambda: not any(links.exists(enclave.network, end) for end in ends),
        "devices of a namespace that is gone are there still",
        within=_PATIENCE,
    )
