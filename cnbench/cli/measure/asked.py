"""What the options that every measuring command has ask for, as one value."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from cnbench.cli.options import lab_options, sampling_options
from cnbench.core.run import Request
from cnbench.experiments.registry import experiment_called
from cnbench.measuring.plan import parse_given

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Asked:
    """The values of ``sampling_options`` and ``lab_options``, as these call them.

    What says how guests are used, and not what is measured, is no part of it: ``jobs``, ``anew``.
    """

    quick: bool
    assignments: tuple[str, ...]
    budget: float | None
    seed: int
    lab: str
    clock: str
    kernels: str

    @classmethod
    def taken_from(cls, options: dict[str, Any]) -> Asked:
        """Those of a command's ``options``, which then has them no more."""
        return cls(**{field.name: options.pop(field.name) for field in fields(cls)})

    def request(self, names: Sequence[str]) -> Request:
        """To measure the experiments ``names`` so.

        Raises:
            UsageError: one of them has no such parameter or value, or there is none of that name.
        """
        return Request(
            tuple(names),
            not self.quick,
            parse_given([experiment_called(name) for name in names], self.assignments),
            self.lab,
            self.clock,
            self.budget,
            self.seed,
            kernels_of(self.kernels),
        )


def asking(command: F) -> F:
    """Give a command all of those options, and their values to it as ``asked``."""

    @functools.wraps(command)
    def taking(**options: Any) -> Any:
        return command(asked=Asked.taken_from(options), **options)

    return sampling_options(lab_options(taking))  # type: ignore[return-value]


def kernels_of(text: str) -> tuple[str, ...]:
    """Kernel names as they are written on the command line, each once."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
