"""etcd: what does the store below an API server take, and what of that is fsync?

A real etcd alone on loopback. ``latency`` is from a call to its answer over etcd's gRPC gateway,
``handling`` what etcd itself counts for that call, and ``fsync`` what of it its log (WAL) waited
for the disk. ``store`` is where the log is: in memory, where fsync is nothing; on disk; and on disk
with fsync left out. A transaction is the API server's own: put if unchanged. A watch's ``delivery``
is from the answer to a put to its event, as the kernel had both. A lease's ``lateness`` is from the
end of its time until watchers know that its key is gone.
"""

from __future__ import annotations

from cnbench.core.experiment import Experiment
from cnbench.experiments.etcd.grid import METRICS, PARAMETERS, nonsense
from cnbench.experiments.etcd.subject import open_subject, require

EXPERIMENT = Experiment(
    name="etcd",
    question="What does the store below an API server take, and what of that is fsync?",
    parameters=PARAMETERS,
    metrics=METRICS,
    variant="store",
    subject=open_subject,
    require=require,
    nonsense=nonsense,
    share=0.25,
    asked_for=True,
    caveat="The client and etcd share this machine's processors; a gateway is between them, which "
    "an API server does without: `handling` has none of it.",
)
