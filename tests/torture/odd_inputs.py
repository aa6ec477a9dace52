"""Inputs of every kind that no cnbench, kubectl or scheduler has written; drawn by hypothesis."""

import json
import string

from hypothesis import strategies as st

from cnbench.experiments.registry import all_experiments

# Values that have been trouble somewhere.
numbers = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, -1, 1e308, -1e308, 5e-324, 2**63, 2**64, 1e-30, 10**30, -0.0]),
)
trouble = st.sampled_from(
    ["\x1b[31mred", "\x1b]0;title\x07", "\x9b2J", "[/]", "[bold", "a\nb", "a\tb", "\u202eabc",
     "9" * 5000, "x" * 9999, "2001-02-30", "-0", "nan", "1e400", "\0", "é" * 300, ""]
)  # fmt: skip
texts = st.one_of(st.text(max_size=40), trouble)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


@st.composite
def changed(draw, content):
    """JSON-like ``content`` with a few of its places holding something else, or nothing."""
    found = json.loads(json.dumps(content))
    for _ in range(draw(st.integers(1, 3))):
        where = draw(st.sampled_from(list(_places(found))))
        if not where:
            continue
        inner = found
        for key in where[:-1]:
            inner = inner[key]
        what = draw(st.sampled_from(["alike", "alike", "alike", "other", "none"]))
        if what == "none":
            del inner[where[-1]]
        else:
            inner[where[-1]] = draw(_alike(inner[where[-1]]) if what == "alike" else values)
    return found


def _alike(value):
    """Odd values of the same type, which get further than others."""
    if isinstance(value, bool) or value is None:
        return st.booleans()
    if isinstance(value, int):
        return st.one_of(st.integers(-3, 10**6), st.integers())
    if isinstance(value, float):
        return st.one_of(st.floats(1e-12, 1e12), numbers)
    return texts if isinstance(value, str) else values


def _places(content, prefix=()):
    yield prefix
    if isinstance(content, dict | list):
        pairs = content.items() if isinstance(content, dict) else enumerate(content)
        for key, inner in pairs:
            yield from _places(inner, (*prefix, key))


@st.composite
def damaged(draw, text):
    """Bytes that were ``text`` once."""
    found = bytearray(text)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(found) - 1)))
        odd = st.sampled_from([b"", b'"', b"[" * 2000, b"1e309", b"\xff", b"\x1b[2J"])
        found[at : at + draw(st.integers(0, 30))] = draw(st.one_of(st.binary(max_size=6), odd))
    return bytes(found)


def run_files(one_object, records):
    """A run as one object and as records, each changed as JSON or as bytes."""
    as_json = changed(json.loads(one_object)).map(lambda run: json.dumps(run).encode())
    return st.one_of(as_json, damaged(one_object), _with_a_changed_line(records), damaged(records))


@st.composite
def _with_a_changed_line(draw, records):
    lines = records.splitlines(keepends=True)
    at = draw(st.integers(0, len(lines) - 1))
    plain = draw(changed(json.loads(lines[at])))
    lines[at] = json.dumps(plain, separators=(",", ":")).encode() + b"\n"
    return b"".join(lines)


SERVICES = [
    {"kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
     "spec": {"clusterIP": "10.0.0.1", "ports": [{"name": "http", "port": 80, "protocol": "TCP"}],
              "externalIPs": ["1.2.3.4"], "sessionAffinity": "ClientIP"}},
    {"kind": "EndpointSlice", "addressType": "IPv4",
     "metadata": {"name": "web-1", "namespace": "shop",
                  "labels": {"kubernetes.io/service-name": "web"}},
     "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
     "endpoints": [{"addresses": ["10.1.0.1"], "conditions": {"ready": True}}]},
]  # fmt: skip
_YAML = b"""kind: &k Service
metadata: &m {name: web, namespace: shop, labels: {a: *k}}
spec: {clusterIP: 10.0.0.1, ports: [{port: 80, nodePort: 0x50, name: a}]}
---
- {kind: Service, metadata: *m2, when: 2001-02-03, huge: 1e400, odd: !!int x, set: !!set {a}}
"""


@st.composite
def aliases(draw):
    """YAML in which anchors stand for anchors; few of them get past the count of objects."""
    wide, deep = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    lines = ["a0: &a0 [x, y]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * wide)}]" for n in range(1, deep)]
    if draw(st.booleans()):
        lines.append("kind: *a0\nmetadata: {<<: {a: 1}}")
    return "\n".join(lines).encode()


def services():
    """Kubernetes objects, nearly."""
    as_json = changed(SERVICES)
    return st.one_of(
        as_json.map(lambda found: json.dumps(found).encode()),
        as_json.map(lambda found: json.dumps({"kind": "List", "items": found}).encode()),
        damaged(_YAML),
        aliases(),
        st.integers(1, 3000).map(lambda deep: b"- " * deep),
        st.integers(1, 3000).map(lambda deep: b'{"items":[' * deep),
    )


NODES = ("sn,cpu_milli,memory_mib,gpu,model", "n-1,64000,262144,2,P100", "n-2,96000,786432,8,T4")
PODS = (
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase",
    "p-1,12000,16384,1,1000,,LS,Running",
    "p-2,6000,12288,1,460,P100|T4,LS,Running",
)


@st.composite
def table(draw, lines):
    """A CSV file with cells that are none."""
    rows = [line.split(",") for line in lines]
    for _ in range(draw(st.integers(0, 3))):
        row = draw(st.integers(0, len(rows) - 1))
        if not rows[row]:
            continue
        cell = draw(st.integers(0, len(rows[row]) - 1))
        rows[row][cell] = draw(
            st.one_of(texts, numbers.map(str), st.sampled_from(['"' + "y" * 140_000 + '"', '"']))
        )
    return "\n".join(map(",".join, rows)).encode(errors="surrogatepass")


def traces():
    """A trace's two files."""
    return st.tuples(
        st.one_of(table(NODES), damaged("\n".join(NODES).encode())),
        st.one_of(table(PODS), damaged("\n".join(PODS).encode())),
    )


_METRIC = "scheduler_framework_extension_point_duration_seconds"
_NUMBERS = st.one_of(
    numbers.map(str), st.sampled_from(["+Inf", "-Inf", "NaN", "1e400", "", "x", "9" * 5000])
)


@st.composite
def metrics(draw):
    """A page in Prometheus' text format."""
    lines = []
    for _ in range(draw(st.integers(0, 6))):
        part = draw(st.sampled_from(["bucket", "sum", "count", "total", ""]))
        label = draw(st.one_of(texts, st.sampled_from(["Filter", "Score"])))
        bound = draw(_NUMBERS)
        inside = f'extension_point="{label}",le="{bound}"'
        lines.append(f"{_METRIC}_{part}{{{inside}}} {draw(_NUMBERS)}")
    text = "\n".join(lines).encode(errors="surrogatepass")
    return draw(st.one_of(st.just(text), damaged(text or b"x")))


def journals():
    """The journal of a run that is dead."""
    entry = {"made": {"kind": "folder", "what": "/tmp/cnbench-0123456789ab"}}
    good = json.dumps(entry).encode() + b"\n"
    lines = changed(entry).map(lambda found: json.dumps(found).encode() + b"\n")
    deep = st.integers(1, 100_000).map(lambda levels: b"[" * levels + b"\n")
    return st.lists(st.one_of(st.just(good), lines, damaged(good), deep), max_size=4).map(b"".join)


@st.composite
def parameters(draw):
    """An experiment, and what is written after -p."""
    experiment = draw(st.sampled_from(list(all_experiments().values())))
    parameter = draw(st.sampled_from(experiment.parameters))
    name = parameter.name if draw(st.integers(0, 9)) else draw(texts)
    number = st.tuples(numbers, st.sampled_from(["", "s", "ms", "MiB", "%", "k", "K", "M"]))
    value = st.one_of(
        texts,
        number.map(lambda pair: f"{pair[0]}{pair[1]}"),
        st.sampled_from(parameter.choices or ("1",)),
        st.text(string.digits + ".e+-_", max_size=400),
    )
    plausible = st.tuples(st.integers(0, 10**6), st.sampled_from(["", "ms", "KiB", "%"]))
    value = st.one_of(plausible.map(lambda pair: f"{pair[0]}{pair[1]}"), value)
    many = draw(st.lists(value, min_size=1, max_size=3))
    return experiment.name, f"{name}={','.join(many)}"
