"""What list-watch answers."""

from __future__ import annotations

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import at_least, less
from cnbench.analysis.answers.figures import ratio, shown, value

_SERVER = "kubernetes-1.20"
_LISTS = {"current": {"way": "list"}, "from the cache": {"way": "list-cached"}}
_ENCODINGS = {"JSON": {"encoding": "json"}, "protobuf": {"encoding": "protobuf"}}
_CUTS = {"known": {"way": "watch-resume"}, "gone": {"way": "watch-relist"}}
_TEN_TIMES = 10.0

ANSWERS = (
    Answer(
        experiment="list-watch",
        question="What does a LIST of 1,000 objects take, current or from the API server's cache?",
        cases=Cases(_LISTS, server=_SERVER, encoding="json", objects=1000),
        shows=(value("latency"), value("cpu", named="CPU time of the API server, {}")),
        statement="A LIST from the API server's cache takes less than one of what is current",
        tests=(less("latency", "from the cache", "current"),),
        repeat=f"run list-watch -p server={_SERVER} -p way=list,list-cached",
    ),
    Answer(
        experiment="list-watch",
        question="What does the API server take to encode 1,000 objects?",
        cases=Cases(_ENCODINGS, server=_SERVER, way="list-cached", objects=1000),
        shows=(value("cpu"), shown(ratio("cpu", "JSON", "protobuf"))),
        statement="A LIST in protobuf takes the API server less CPU time than in JSON",
        tests=(less("cpu", "protobuf", "JSON"),),
        repeat=f"run list-watch -p server={_SERVER} -p way=list-cached",
    ),
    Answer(
        experiment="list-watch",
        question="What does a cut watch take to go on, from a version that is known, or gone?",
        cases=Cases(_CUTS, server=_SERVER, objects=1000),
        shows=(value("resume"), shown(ratio("resume", "gone", "known"))),
        statement="Listing 1,000 objects anew takes ten times what going on with a watch does",
        tests=(at_least(ratio("resume", "gone", "known"), _TEN_TIMES, "gone", "known"),),
        repeat=f"run list-watch -p server={_SERVER} -p way=watch-resume,watch-relist",
    ),
)
