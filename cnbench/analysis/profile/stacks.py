"""A part of a trace as stacks of functions, each with the instructions that its last executed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

import numpy as np

from cnbench.analysis.profile.span import Span
from cnbench.analysis.profile.symbols import USER_SPACE, Functions
from cnbench.analysis.profile.trace import Trace
from cnbench.store.profiles import Profile

Stack = tuple[str, ...]
# The roots: what has the stack that a kernel's functions run on.
MEASURING = "the measuring process"
PROCESS = "another process"
KERNEL_THREAD = "a kernel thread"


def stacks_of(trace: Trace, span: Span, functions: Functions) -> dict[Stack, int]:
    """Instructions by stack, the thread first; the largest stack first."""
    name = cache(functions.at)
    inside = (trace.segment >= span.first) & (trace.segment <= span.last)
    inside &= trace.thread[trace.context] != span.left_out
    roots = _roots(trace, span)

    @cache
    def stack_of(context: int) -> Stack:
        parent = int(trace.parent[context])
        if parent == 0:
            return (roots.get(context, KERNEL_THREAD),)
        above = _entered(stack_of(parent), name(_address(trace, int(trace.caller[context]))))
        return (*above, name(int(trace.called[context])))

    found: dict[Stack, int] = {}
    places = np.flatnonzero(inside)
    for context, block, count in zip(
        trace.context[places].tolist(),
        trace.at[places].tolist(),
        trace.count[places].tolist(),
        strict=True,
    ):
        stack = _entered(stack_of(context), name(_address(trace, block)))
        found[stack] = found.get(stack, 0) + count
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _address(trace: Trace, block: int) -> int:
    return int(trace.block[block]) & 0xFFFF_FFFF_FFFF_FFFF


def _entered(stack: Stack, function: str) -> Stack:
    """``stack`` with ``function`` on it, which was come to without a call, unless it is on top.

    That is how a kernel is entered, an interrupt handled, and a last call turned into a jump.
    """
    return stack if stack[-1] == function else (*stack, function)


def _roots(trace: Trace, span: Span) -> Mapping[int, str]:
    """What to call threads that run in user space; the others are the kernel's."""
    in_user_space = trace.block[trace.at] > 0
    users = np.unique(trace.thread[trace.context[in_user_space]]).tolist()
    return dict.fromkeys(users, PROCESS) | {span.reader: MEASURING}


def stacks_in(profile: Profile) -> dict[Stack, int]:
    """The stacks of a profile, which has them joined."""
    return {tuple(joined.split(";")): count for joined, count in profile.stacks.items()}


def self_counts(stacks: Mapping[Stack, int]) -> dict[str, int]:
    """What each function executed itself, the most first; user space by whose it is."""
    return _summed((_owner(stack), count) for stack, count in stacks.items())


def total_counts(stacks: Mapping[Stack, int]) -> dict[str, int]:
    """What each function executed with all that it called, the most first."""
    return _summed(
        (function, count)
        for stack, count in stacks.items()
        for function in {_owner(stack), *stack[1:]} - {USER_SPACE}
    )


def _owner(stack: Stack) -> str:
    return f"{USER_SPACE[:-1]} of {stack[0]}]" if stack[-1] == USER_SPACE else stack[-1]


def _summed(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, count in pairs:
        found[name] = found.get(name, 0) + count
    return dict(sorted(found.items(), key=lambda item: -item[1]))
