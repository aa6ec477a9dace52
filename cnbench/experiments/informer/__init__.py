"""informer: what does following a collection with client-go cost, and what does a cut?

client-go's own Reflector, DeltaFIFO and Indexer, in a program of ours that is compiled against
Debian's packages of it. ``sync`` is from the start of an informer until its store has all objects,
``memory`` the heap for each of them after a collection. Then objects are written one at a time:
``event`` is from the moment the connection was read to the handler's call, by when the store has
the object; ``queued`` is when it was put into the queue on its way. Then connections are cut,
each at a random moment amid 200 writes a second, and ``recovery`` is until an event is read again.
``peak`` is the most memory that the API server had while stores were filled: by lists, or streamed,
which are on servers of their own, since Go gives memory back late. In the end the store is compared
with the server's own.
"""

from __future__ import annotations

from cnbench.core.experiment import Experiment
from cnbench.experiments.informer.grid import METRICS, PARAMETERS, nonsense
from cnbench.experiments.informer.subject import open_subject, require

EXPERIMENT = Experiment(
    name="informer",
    question="What does following a collection with client-go cost, and what does a cut?",
    parameters=PARAMETERS,
    metrics=METRICS,
    variant="form",
    subject=open_subject,
    require=require,
    nonsense=nonsense,
    tools=("openssl",),
    asked_for=True,
    caveat="The informers, etcd and the API server share this machine's processors.",
)
