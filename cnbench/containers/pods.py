"""Pods of one container over the CRI, by the calls that the kubelet makes for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from cnbench.containers.containerd import OF_THE_CRI
from cnbench.containers.cri import RUNNING, Cri
from cnbench.containers.runtimes import Started, Together


@dataclass(frozen=True)
class Pods(Together):
    """Pods, each with one container."""

    cri: Cri

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Those of the bundle, but a pod on its node's network has its node's host name too."""
        shared = {"uts"} if self.wanted.network == "host" else set()
        return tuple(kind for kind in self.wanted.namespaces if kind not in shared)

    def start_together(self, count: int) -> list[Started]:
        """Run pods' sandboxes, create a container in each, and start those."""
        pods = [self.cri.pod(self.wanted) for _ in range(count)]
        sandboxes = self.cri.each("RunPodSandbox", [{"config": pod} for pod in pods])
        within = [sandbox.said["pod_sandbox_id"] for sandbox in sandboxes]
        return [
            replace(one, began=sandbox.began, steps={"sandbox": sandbox.took, **one.steps})
            for sandbox, one in zip(sandboxes, self._containers(within, pods), strict=True)
        ]

    def restart(self, dead: Started) -> Started:
        """Start another container in the pod of one that has been removed; raises CnbenchError."""
        return self._containers([dead.within], [self.cri.pod(self.wanted)])[0]

    def _containers(self, within: Sequence[str], pods: Sequence[dict[str, Any]]) -> list[Started]:
        """A container in each sandbox of ``within``, whose pods' settings are ``pods``."""
        container = self.cri.container(self.wanted, str(self.files.extra))
        created = self.cri.each(
            "CreateContainer",
            [
                {"pod_sandbox_id": sandbox, "config": container, "sandbox_config": pod}
                for sandbox, pod in zip(within, pods, strict=True)
            ],
        )
        names = [one.said["container_id"] for one in created]
        started = self.cri.each("StartContainer", [{"container_id": name} for name in names])
        return [
            Started(
                name, self.cri.daemon.process(name, OF_THE_CRI), first.began,
                {"create": first.took, "launch": last.took}, sandbox,
            )
            for name, first, last, sandbox in zip(names, created, started, within, strict=True)
        ]  # fmt: skip

    def state(self, started: Started) -> str:
        """The container's state by its status."""
        status = self.cri.call("ContainerStatus", container_id=started.name).said["status"]
        return "running" if status.get("state") == RUNNING else f"state {status.get('state')}"

    def stop(self, started: Started) -> int:
        """Stop the pod, which kills what is in it, and remove it."""
        stopped = self.cri.call("StopPodSandbox", pod_sandbox_id=started.within)
        removed = self.cri.call("RemovePodSandbox", pod_sandbox_id=started.within)
        return removed.ended - stopped.began
