"""What copy-up answers."""

from __future__ import annotations

from cnbench.analysis.answers.answer import Answer
from cnbench.analysis.answers.cases import Cases
from cnbench.analysis.answers.criteria import at_least, at_most, less
from cnbench.analysis.answers.figures import cheapest, of, over_other, ratio, shown, value
from cnbench.core.parameter import Params

_KIB, _MIB = 2**10, 2**20
_LARGE = 16 * _MIB
_FILESYSTEMS = ("ext4", "xfs", "btrfs", "tmpfs")
_OPEN: Params = {"trigger": "open", "options": "default"}
# A page of data already has the costs of any file; an empty one has not, being never synced.
_SMALL = 4 * _KIB
# A copied megabyte costs many times what a page does, so this leaves no doubt either way.
_GROWS, _CONSTANT = 2.0, 1.5


_BIG, _LITTLE = "16 MiB", "4 KiB"
_GROWTH = ratio("latency", _BIG, _LITTLE)


def _sizes(filesystem: str) -> Cases:
    sized: dict[str, Params] = {_BIG: {"size": _LARGE}, _LITTLE: {"size": _SMALL}}
    return Cases(sized, filesystem=filesystem, **_OPEN)


ANSWERS = (
    Answer(
        experiment="copy-up",
        question="The first write to a 16 MiB file of a container's image",
        cases=Cases({name: {"filesystem": name} for name in _FILESYSTEMS}, size=_LARGE, **_OPEN),
        shows=(value("latency"),),
        remark=cheapest("latency"),
        statement="On a file system with reflinks a first write costs less than on ext4",
        tests=(less("latency", "xfs", "ext4"), less("latency", "btrfs", "ext4")),
        repeat="run copy-up -p size=16MiB -p trigger=open",
        rank=1,
    ),
    Answer(
        experiment="copy-up",
        question="Does a first write cost more the larger the file is? On ext4",
        cases=_sizes("ext4"),
        shows=(value("latency"), shown(_GROWTH)),
        statement="Copy-up grows with the file",
        tests=(at_least(_GROWTH, _GROWS, _BIG, _LITTLE),),
        repeat="run copy-up -p filesystem=ext4 -p size=4KiB,16MiB -p trigger=open",
    ),
    Answer(
        experiment="copy-up",
        question="And with reflinks? On XFS",
        cases=_sizes("xfs"),
        shows=(value("latency"), shown(_GROWTH)),
        statement="Reflink makes copy-up constant",
        tests=(at_most(_GROWTH, _CONSTANT, _BIG, _LITTLE),),
        repeat="run copy-up -p filesystem=xfs -p size=4KiB,16MiB -p trigger=open",
    ),
    Answer(
        experiment="copy-up",
        question="A chmod of a 16 MiB file of the image, on ext4",
        cases=Cases(
            {
                "chmod with metacopy": {"trigger": "chmod", "options": "metacopy"},
                "open for writing": _OPEN,
            },
            filesystem="ext4",
            size=_LARGE,
        ),
        shows=(value("latency"),),
        statement="A change of metadata need not copy the file",
        tests=(less("latency", "chmod with metacopy", "open for writing", by=0.5),),
        repeat="run copy-up -p filesystem=ext4 -p size=16MiB -p trigger=open,chmod -p"
        " options=default,metacopy",
        rank=2,
    ),
    Answer(
        experiment="copy-up",
        question="The second write to the same file, on ext4",
        cases=Cases({_BIG: {"size": _LARGE}}, filesystem="ext4", **_OPEN),
        shows=(
            value("latency", _BIG, named="first"),
            value("again", _BIG, named="second"),
        ),
        statement="Only the first write pays",
        tests=(at_most(over_other("again", _BIG, "latency", _BIG), 0.05, _BIG),),
        repeat="run copy-up -p filesystem=ext4 -p size=16MiB -p trigger=open",
    ),
    Answer(
        experiment="copy-up",
        question="Emptying a 16 MiB file of the image, on ext4",
        cases=Cases(
            {
                "truncate(2)": {"trigger": "empty", "options": "default"},
                "open with O_TRUNC": {"trigger": "open-trunc", "options": "default"},
            },
            filesystem="ext4",
            size=_LARGE,
        ),
        shows=(value("latency"), value("written", named="{} writes")),
        statement="truncate(2) copies what it throws away, and O_TRUNC does not",
        tests=(
            at_least(of("written", "truncate(2)"), _LARGE, "truncate(2)"),
            at_most(of("written", "open with O_TRUNC"), _MIB, "open with O_TRUNC"),
        ),
        repeat="run copy-up -p filesystem=ext4 -p size=16MiB -p trigger=empty,open-trunc",
        rank=3,
    ),
)
