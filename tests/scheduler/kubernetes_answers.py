"""What Kubernetes' own scheduler plugins answered, packed into one small file a release.

    python tests/scheduler/kubernetes_answers.py FOLDER    # packs FOLDER/scheduler-*.jsonl.gz

A file is xz over JSON: ``words`` are the distinct objects, which cases refer to by their number,
and ``cases`` are rows in the order of `Case`. Answers are in the order of the case's nodes: a text
of 0 and 1 for each filter, and a list for each score (raw, and normalised where that is another),
over the nodes that all filters admit. Where they come from is told in answers/README.md.
"""

import gzip
import json
import lzma
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "answers"
NAMESPACES = [
    {"metadata": {"name": "default", "labels": {}}},
    {"metadata": {"name": "ns1", "labels": {"team": "x"}}},
    {"metadata": {"name": "ns2", "labels": {"team": "y"}}},
]


@dataclass(frozen=True)
class Answer:
    """Of one pod: by filter a verdict a node, by score (raw, normalised) a feasible node."""

    pod: dict
    filters: dict
    scores: dict
    skipped: list

    def feasible(self):
        """The numbers of the nodes that all filters admit."""
        verdicts = zip(*self.filters.values(), strict=True)
        return [number for number, verdict in enumerate(verdicts) if set(verdict) == {"1"}]


@dataclass(frozen=True)
class Case:
    kind: str
    name: str
    weights: dict | None
    hard: int
    nodes: list
    pods: list
    services: list
    owners: list
    answers: list


def releases():
    return sorted(path.stem for path in FOLDER.glob("*.xz"))


@cache
def read(release):
    """All cases of a release."""
    packed = json.loads(lzma.decompress((FOLDER / f"{release}.xz").read_bytes()))
    words = packed["words"]

    def objects(numbers):
        return [words[number] for number in numbers]

    return [
        Case(
            kind,
            name,
            weights,
            hard,
            objects(nodes),
            objects(pods),
            objects(services),
            objects(owners),
            [Answer(words[pod], *answer) for pod, *answer in answers],
        )
        for kind, name, weights, hard, nodes, pods, services, owners, answers in packed["cases"]
    ]


def pack(path):
    """One file of a release, from the layout in which the answers were given."""
    words, cases = {}, []

    def word(given):
        return words.setdefault(json.dumps(given, sort_keys=True), len(words))

    with gzip.open(path, "rt") as lines:
        for line in lines:
            given = json.loads(line)
            assert given["namespaces"] == NAMESPACES, given["id"]
            names = [node["metadata"]["name"] for node in given["nodes"]]
            asks = given.get("asks") or [given]
            cases.append(
                [
                    given["set"],
                    given["id"],
                    given.get("resource_weights"),
                    given.get("hard_pod_affinity_weight", 1),
                    *(
                        [word(one) for one in given[kind]]
                        for kind in ("nodes", "pods", "services", "replicaSets")
                    ),
                    [_answer(word(ask["pod"]), ask["expect"], names) for ask in asks],
                ]
            )
    text = json.dumps(
        {"words": [json.loads(one) for one in words], "cases": cases}, separators=(",", ":")
    )
    release = given["release"]
    (FOLDER / f"{release}.xz").write_bytes(lzma.compress(text.encode(), preset=9))


def _answer(pod, expect, names):
    filters = {
        name: "".join("01"[verdicts[node]] for node in names)
        for name, verdicts in expect["filters"].items()
    }
    scored = [name for name in names if name in expect["feasible"]]
    scores = {}
    for name, normalised in expect.get("scores", {}).items():
        raw = expect["scores_raw"].get(name, normalised)
        both = [[scores[node] for node in scored] for scores in (raw, normalised)]
        scores[name] = both[:1] if both[0] == both[1] else both
    return [pod, filters, scores, expect.get("skipped", [])]


if __name__ == "__main__":
    for found in sorted(Path(sys.argv[1]).glob("scheduler-*.jsonl.gz")):
        pack(found)
