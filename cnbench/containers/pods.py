"""Pods of one container over the CRI, by the calls that the kubelet makes for one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from cnbench.containers.containerd import OF_THE_CRI
from cnbench.containers.cri import RUNNING, Cri
from cnbench.containers.runtimes import OfOneBundle, Started


@dataclass(frozen=True)
class Pods(OfOneBundle):
    """Pods, each with one container."""

    cri: Cri

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Those of the bundle, but a pod on its node's network has its node's host name too."""
        shared = {"uts"} if self.wanted.network == "host" else set()
        return tuple(kind for kind in self.wanted.namespaces if kind not in shared)

    def start(self) -> Started:
        """Run a pod's sandbox, create a container in it, and start that."""
        pod = self.cri.pod(self.wanted)
        sandbox = self.cri.call("RunPodSandbox", config=pod)
        started = self._container(sandbox.said["pod_sandbox_id"], pod)
        steps = {"sandbox": sandbox.took, **started.steps}
        return replace(started, began=sandbox.began, steps=steps)

    def restart(self, dead: Started) -> Started:
        """Start another container in the pod of one that has been removed; raises CnbenchError."""
        return self._container(dead.within, self.cri.pod(self.wanted))

    def _container(self, within: str, pod: dict[str, Any]) -> Started:
        container = self.cri.container(self.wanted, str(self.files.extra))
        created = self.cri.call(
            "CreateContainer", pod_sandbox_id=within, config=container, sandbox_config=pod
        )
        name = created.said["container_id"]
        started = self.cri.call("StartContainer", container_id=name)
        steps = {"create": created.took, "launch": started.took}
        pid = self.cri.daemon.process(name, OF_THE_CRI)
        return Started(name, pid, created.began, steps, within)

    def state(self, started: Started) -> str:
        """The container's state by its status."""
        status = self.cri.call("ContainerStatus", container_id=started.name).said["status"]
        return "running" if status.get("state") == RUNNING else f"state {status.get('state')}"

    def stop(self, started: Started) -> int:
        """Stop the pod, which kills what is in it, and remove it."""
        stopped = self.cri.call("StopPodSandbox", pod_sandbox_id=started.within)
        removed = self.cri.call("RemovePodSandbox", pod_sandbox_id=started.within)
        return removed.ended - stopped.began
