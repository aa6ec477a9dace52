"""Calling CNI plug-ins as a container runtime calls them: by environment and standard input.

The protocol is that of the CNI specification 0.4.0, the newest that containerd 1.6 speaks: each
plug-in of a chain is given the result of those before it, DEL goes the other way round, and a
plug-in answers with its result or, on standard output too, with an error.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cnbench.containers.enclave import Command, Enclave
from cnbench.core.errors import CnbenchError, CommandError, UnsupportedError

# Where Debian's containernetworking-plugins has them.
FOLDER = Path("/usr/lib/cni")
VERSION = "0.4.0"
INTERFACE = "eth0"
Settings = Mapping[str, Any]


def require(plugin: str) -> str:
    """The path of ``plugin``; raises UnsupportedError where it is not installed."""
    path = FOLDER / plugin
    if not path.exists():
        raise UnsupportedError(
            f"the CNI plug-in {plugin} is not installed",
            "apt-get install containernetworking-plugins",
        )
    return str(path)


@dataclass
class Attachment:
    """A pod's network by one chain of plug-ins.

    Attributes:
        enclave: where they are called.
        container: the pod's name, as CNI_CONTAINERID.
        namespace: the path of its network namespace, as seen in the enclave; empty for none.
        network: the chain's name.
        plugins: their settings, in their order.
        result: of the last plug-in that was added.
        took: ns that the last call of each plug-in took, by command and plug-in.
    """

    enclave: Enclave
    container: str
    namespace: str
    network: str
    plugins: Sequence[Settings]
    result: dict[str, Any] = field(default_factory=dict)
    took: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self) -> None:
        """Add the pod to the network; raises CnbenchError with what a plug-in says."""
        for settings in self.plugins:
            self._take_result(self._call("ADD", settings))

    def check(self) -> None:
        """Have each plug-in look whether what it added is there; raises CnbenchError if not."""
        for settings in self.plugins:
            self._call("CHECK", settings)

    def delete(self) -> None:
        """Take the pod from the network; raises CnbenchError with what a plug-in says."""
        for settings in reversed(self.plugins):
            self._call("DEL", settings)

    @property
    def address(self) -> str:
        """The pod's first address, without its prefix; empty where it was given none."""
        ips = self.result.get("ips", [])
        return str(ips[0]["address"]).partition("/")[0] if ips else ""

    def _call(self, command: str, settings: Settings) -> str:
        asked = self._asked(command, settings)
        with _explained(command, settings):
            ran = self.enclave.run(*asked.argv, environment=asked.environment, given=asked.given)
        self.took[command, str(settings["type"])] = ran.took
        return ran.output

    def _asked(self, command: str, settings: Settings) -> Command:
        environment = {
            "CNI_COMMAND": command, "CNI_CONTAINERID": self.container, "CNI_IFNAME": INTERFACE,
            "CNI_NETNS": self.namespace, "CNI_PATH": str(FOLDER),
        }  # fmt: skip
        given = {"cniVersion": VERSION, "name": self.network, **settings}
        if self.result:
            given["prevResult"] = self.result
        return Command([require(str(settings["type"]))], environment, json.dumps(given))

    def _take_result(self, said: str) -> None:
        self.result = json.loads(said) if said else self.result


def add_together(attachments: Sequence[Attachment]) -> None:
    """Add pods to one network beside each other, plug-in by plug-in; raises CnbenchError."""
    _together("ADD", attachments, [one.plugins for one in attachments])


def delete_together(attachments: Sequence[Attachment]) -> None:
    """Take pods from one network beside each other, plug-in by plug-in; raises CnbenchError."""
    _together("DEL", attachments, [one.plugins[::-1] for one in attachments])


def _together(
    command: str, attachments: Sequence[Attachment], chains: Sequence[Sequence[Settings]]
) -> None:
    for alike in zip(*chains, strict=True):  # each pod's settings of one plug-in
        asked = [
            one._asked(command, settings) for one, settings in zip(attachments, alike, strict=True)
        ]
        with _explained(command, alike[0]):
            ran = attachments[0].enclave.run_together(asked)
        for one, settings, each in zip(attachments, alike, ran, strict=True):
            one.took[command, str(settings["type"])] = each.took
            if command == "ADD":
                one._take_result(each.output)


@contextlib.contextmanager
def _explained(command: str, settings: Settings) -> Iterator[None]:
    """Have what a plug-in says went wrong told."""
    try:
        yield
    except CommandError as error:
        raise CnbenchError(f"{settings['type']} {command}: {_complaint(error)}") from error


def _complaint(error: CommandError) -> str:
    """What a plug-in says went wrong: its standard output is an error's JSON."""
    try:
        said = json.loads(error.stderr)
    except ValueError:
        return error.stderr.strip() or str(error)
    return f"{said.get('msg', '')} {said.get('details', '')}".strip()
