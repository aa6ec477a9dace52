"""Kubernetes quantities ("100m", "128Mi", "1e3") as exact integers.

Source: kubernetes.io, "Resource Management for Pods and Containers", and the grammar in
apimachinery's resource.Quantity: a decimal number with a binary suffix (Ki .. Ei), a decimal
suffix (n, u, m, k .. E) or an exponent. Values finer than the unit round up, as
Quantity.Value() and Quantity.MilliValue() do.
"""

import math
import re
from collections.abc import Mapping
from fractions import Fraction

from cnbench.scheduler.errors import SchedulerInputError
from cnbench.scheduler.model import checks

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

CPU = "cpu"
MEMORY = "memory"
EPHEMERAL_STORAGE = "ephemeral-storage"
PODS = "pods"

# Columns hold exact integers as float64 and scoring multiplies by 100: 2**46 * 101 < 2**53. Larger
# ones are kept apart (columns/resources.py).
LARGEST_AMOUNT = 2**46
# What Kubernetes' own int64 holds; and the most a pod may ask (see columns/resources.py).
LARGEST_CAPACITY = 2**63
LARGEST_REQUEST = 2**52

_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_NUMBER = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d{1,3})|([A-Za-z]{0,2}))$")


def parse_quantity(text: str | int) -> Fraction:
    """The exact value of a Kubernetes quantity.

    Args:
        text: a string such as "250m", "1.5Gi" or "12e6", or an integer.

    Raises:
        ValueError: the text is not a quantity.
    """
    if isinstance(text, int) and not isinstance(text, bool):
        return Fraction(text)
    match = _NUMBER.match(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a quantity; write for example 500m, 2 or 128Mi")
    number, exponent, suffix = match.groups()
    if exponent:
        return Fraction(number) * _power_of_ten(int(exponent[1:]))
    if suffix in _BINARY:
        return Fraction(number) * Fraction(1024 ** _BINARY[suffix])
    if suffix in _DECIMAL:
        return Fraction(number) * _power_of_ten(_DECIMAL[suffix])
    raise ValueError(f"{text!r} has the unknown suffix {suffix!r}; use m, k, M, G, Ki, Mi, Gi ...")


def _power_of_ten(exponent: int) -> Fraction:
    return Fraction(10**exponent) if exponent >= 0 else Fraction(1, 10**-exponent)


def amount(resource: str, text: str | int) -> int:
    """A quantity in its resource's unit: millicpu for "cpu", else bytes or a plain count."""
    value = parse_quantity(text)
    return math.ceil(value * 1000) if resource == CPU else math.ceil(value)


def amounts(
    given: Mapping[str, str | int], where: str, field: str, most: int = LARGEST_REQUEST
) -> dict[str, int]:
    """Resource amounts in base units (millicpu, bytes, counts), checked.

    Args:
        given: amounts by resource; integers are taken as base units already, strings are
            Kubernetes quantities.
        where: the object, for messages.
        field: the field, for messages.
        most: the largest amount allowed.

    Raises:
        SchedulerInputError: an amount is no quantity, negative, or larger than allowed.
    """
    checks.a_map(given, where, field)
    checked = {}
    for resource, value in given.items():
        path = f"{field}.{resource}"
        try:
            number = value if type(value) is int else amount(resource, value)
        except ValueError as error:
            raise SchedulerInputError(where, path, str(error)) from None
        if number < 0:
            raise SchedulerInputError(where, path, f"{value!r} is negative; it must be 0 or more")
        if number > most:
            problem = f"{value!r} is more than 2**{most.bit_length() - 1} in base units"
            raise SchedulerInputError(where, path, problem)
        checked[resource] = number
    return checked


def quantities(
    given: object, where: str, field: str, most: int = LARGEST_REQUEST
) -> dict[str, int]:
    """Resource amounts from a Kubernetes object, where a bare number is a quantity (1 cpu).

    Raises:
        SchedulerInputError: it is no map, or an amount is none (see `amounts`).
    """
    if given is None:
        return {}
    items = checks.a_map(given, where, field).items()
    return amounts({name: _as_text(value) for name, value in items}, where, field, most)


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else str(value)
