"""Quantities: base SI units inside, units a person can read at the edges.

Base units are ``s``, ``B``, ``B/s``, ``s/B``, ``instructions``, ``instructions/B``,
``B/instructions``, ``virtual ns`` (of a guest's clock), ``1`` (a fraction, shown in percent) and
the empty unit (a count).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal

from cnbench.core.errors import UsageError

FRACTION = "1"
COUNT = ""
MICRO = "µ"


@dataclass(frozen=True)
class Scale:
    """One way to show a base unit: ``size`` base units are one ``symbol``."""

    size: float
    symbol: str


def _decimal(symbol: str, factor: float = 1.0, smallest: int = 0, largest: int = 9) -> list[Scale]:
    prefixes = {-9: "n", -6: MICRO, -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
    return [
        Scale(factor * 10.0**power, prefix + symbol)
        for power, prefix in prefixes.items()
        if smallest <= power <= largest
    ]


_SIZES = [Scale(1024.0**n, symbol) for n, symbol in enumerate(["B", "KiB", "MiB", "GiB", "TiB"])]

# In rising order of size; a value is shown in the largest step it reaches.
_SCALES: dict[str, list[Scale]] = {
    "s": _decimal("s", smallest=-9, largest=0),
    "B": _SIZES,
    # Networks are read in bits per second (IEEE 802.3 names its rates so), 8 bits to the byte.
    "B/s": _decimal("bit/s", factor=1 / 8),
    # The same step down as _SIZES: a cost per byte is too small to read, so it is shown per KiB.
    "s/B": [Scale(step.size / 1024, f"{step.symbol}/KiB") for step in _decimal("s", 1.0, -9, 0)],
    "instructions/B": [Scale(1 / 1024, "instr/KiB"), Scale(1e3 / 1024, "k instr/KiB")],
    "B/instructions": [
        Scale(1e-6, "B/M instr"),
        Scale(1e-3, "B/k instr"),
        Scale(1, "B/instr"),
    ],
    "instructions": [
        Scale(1, "instr"),
        Scale(1e3, "k instr"),
        Scale(1e6, "M instr"),
        Scale(1e9, "G instr"),
    ],
    "virtual ns": [
        Scale(10.0**power, f"virtual {prefix}s")
        for power, prefix in ((0, "n"), (3, MICRO), (6, "m"), (9, ""))
    ],
    FRACTION: [Scale(0.01, "%")],
    COUNT: [Scale(1, "")],
}

_DIGITS = {"instructions": 5, "instructions/B": 5, "B/instructions": 5}

_INPUT_SYMBOLS: dict[str, dict[str, float]] = {
    "s": {
        "": 1, "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1,
        "m": 60, "min": 60, "h": 3600,
    },
    "B": {
        "": 1, "B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9,
        "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "K": 2**10, "M": 2**20, "G": 2**30,
    },
    "B/s": {
        "bit/s": 1 / 8, "kbit/s": 1e3 / 8, "Mbit/s": 1e6 / 8, "Gbit/s": 1e9 / 8,
        "B/s": 1, "MB/s": 1e6,
    },
    FRACTION: {"": 1, "%": 0.01},
    COUNT: {"": 1, "k": 1e3, "M": 1e6},
}  # fmt: skip

_NUMBER = re.compile(r"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S*)\s*")


def known_units() -> tuple[str, ...]:
    """The base units a metric may have."""
    return tuple(_SCALES)


def parse_quantity(text: str, unit: str) -> float:
    """Read what a person would write (``10ms``, ``1MiB``, ``20%``, ``5k``) into the base ``unit``.

    Raises:
        UsageError: not a number, or a symbol that this unit does not have.
    """
    match = _NUMBER.fullmatch(text)
    symbols = _INPUT_SYMBOLS[unit]
    if match is None:
        raise UsageError(f"'{text}' is not a number with a unit", _how_to_write(symbols))
    number, symbol = match.groups()
    if symbol not in symbols:
        raise UsageError(
            f"'{text}' has the unit '{symbol}', which is not known here", _how_to_write(symbols)
        )
    value = _product(number, symbols[symbol])
    if not math.isfinite(value):
        raise UsageError(f"'{text}' is too large a number")
    return value


def _product(number: str, size: float) -> float:
    """The float nearest to the decimal product, so that 35% is 0.35 and 100us is 0.0001.

    Values are compared and used as keys, and 35 * 0.01 is 0.35000000000000003.
    """
    rounded = float(number)
    if rounded == 0 or not math.isfinite(rounded):  # Decimal knows far larger exponents
        return rounded
    return float(Decimal(number) * Decimal(repr(size)))


def _how_to_write(symbols: dict[str, float]) -> str:
    return "write a number followed by one of: " + ", ".join(s or "(nothing)" for s in symbols)


def format_quantity(value: float, unit: str, *, signed: bool = False) -> str:
    """Show ``value`` (base units) with three significant digits: ``142 µs``, ``9.4 Gbit/s``.

    Instructions have five, since they repeat to hundredths of a percent. ``signed`` prints a plus
    before positive values. A value that is not finite is shown as ``–``.
    """
    if not math.isfinite(value):
        return "–"
    step = _step_for(abs(value), unit)
    digits = _DIGITS.get(unit, 3)
    number = _rounded(value / step.size, digits, signed)
    return f"{number} {step.symbol}".rstrip()


def format_times(quotient: float) -> str:
    """Show a quotient as a number of times: ``3.1×``; one that is not finite as ``–``."""
    return f"{format_quantity(quotient, '')}×" if math.isfinite(quotient) else "–"


def format_count(count: int, singular: str, many: str = "") -> str:
    """``1 case``, ``2 cases``."""
    return f"{count:,} {singular if count == 1 else many or singular + 's'}".replace(",", "\u202f")


def format_exact(value: float, unit: str) -> str:
    """Show a parameter's value without rounding, in the form that ``parse_quantity`` reads back."""
    step = next(
        (
            s
            for s in reversed(_SCALES[unit])
            if value and abs(value) >= s.size and _is_short(_quotient(value, s.size))
        ),
        _step_for(abs(value), unit),
    )
    return f"{_plain(_quotient(value, step.size))}{step.symbol}"


def _step_for(magnitude: float, unit: str) -> Scale:
    scale = _SCALES[unit]
    if magnitude == 0:
        return min(scale, key=lambda step: abs(math.log(step.size)))
    # 999.6 µs rounds to 1000 µs, which reads better as 1 ms: hence a little short of a step.
    return next((s for s in reversed(scale) if magnitude >= 0.9995 * s.size), scale[0])


# From here on nobody counts the digits; the largest unit of a scale has no next one.
_LONGEST = 1e9


def _rounded(number: float, digits: int, signed: bool) -> str:
    if number == 0:
        return "0"
    sign = "-" if number < 0 else "+" if signed else ""
    if abs(number) >= _LONGEST:
        return f"{sign}{abs(number):.{digits - 1}e}".replace("e+", "e")
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(number)) + 1e-12))
    rounded = f"{abs(number):.{min(decimals, 6)}f}"
    if "." in rounded:
        rounded = rounded.rstrip("0").rstrip(".")
    if rounded == "0":
        return rounded
    return sign + rounded


def _quotient(value: float, size: float) -> Decimal:
    return Decimal(repr(value)) / Decimal(repr(size))


def _is_short(number: Decimal) -> bool:
    return int(number.normalize().as_tuple().exponent) >= -3


def _plain(number: Decimal) -> str:
    """All digits and no exponent."""
    digits = f"{number:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits
