"""oom-notice: how long until somebody knows that the kernel killed for want of memory?

By each of the ways in which a node's agents learn of it: the cgroup's own notice (an eventfd on v1,
memory.events on v2), the kernel's log, from which the kubelet's oomWatcher has it (cAdvisor's
oomparser), and containerd's TaskOOM event. A process touches page after page in a limited group
and notes the time before each, so ``notice`` is from the touch that got it killed. ``lost`` is the
share of the kills that nobody was told of; with ``burst``, of so many one after another.
"""

from __future__ import annotations

from cnbench.core.experiment import Experiment
from cnbench.experiments.oom_notice.grid import METRICS, PARAMETERS, nonsense
from cnbench.experiments.oom_notice.subject import open_subject, require

EXPERIMENT = Experiment(
    name="oom-notice",
    question="How long until somebody knows that the kernel killed for want of memory?",
    parameters=PARAMETERS,
    metrics=METRICS,
    variant="way",
    subject=open_subject,
    require=require,
    nonsense=nonsense,
    tools=("busybox", "runc", "containerd"),
    share=0.5,
    caveat="The kernel reports ten kills in five seconds in full, and of further ones a line that "
    "cAdvisor passes over: samples keep below that, and a burst does not.",
)
