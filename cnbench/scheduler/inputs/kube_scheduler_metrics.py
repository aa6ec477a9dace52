"""A running kube-scheduler's own figures, from its `/metrics` page (Prometheus text format).

Histograms give a count and a sum, so the mean is exact; quantiles are interpolated inside their
bucket, as Prometheus' histogram_quantile does. All times are in seconds, since the scheduler
started.
"""

import http.client
import io
import math
import re
import ssl
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

from cnbench.core.errors import UsageError

EXTENSION_POINT = "scheduler_framework_extension_point_duration_seconds"
PLUGIN = "scheduler_plugin_execution_duration_seconds"
ATTEMPT = "scheduler_scheduling_attempt_duration_seconds"
# 1.19 and before; 1.23 renamed it.
OLD_ATTEMPT = "scheduler_e2e_scheduling_duration_seconds"
# Choosing a node alone: an attempt is that and the pod's binding to the node.
ALGORITHM = "scheduler_scheduling_algorithm_duration_seconds"
KNOWN = (EXTENSION_POINT, PLUGIN, ATTEMPT, OLD_ATTEMPT, ALGORITHM)

_SAMPLE = re.compile(r"^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?$")
_LABEL = re.compile(r'\s*([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"\s*(?:,|$)')
_ESCAPED = re.compile(r'\\(["\\n])')
# kube-scheduler's page has about one megabyte.
_MOST_BYTES = 16 << 20
_PIECE = 1 << 16

# Above this a float holds no whole numbers any more.
_LARGEST = 2.0**53

Labels = tuple[tuple[str, str], ...]


class MetricsError(UsageError, ValueError):
    """The page could not be fetched or read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class ServedFigure:
    """One histogram of the scheduler.

    Attributes:
        metric: its name.
        labels: its labels, such as plugin, extension_point, status, profile.
        count: observations.
        total: their sum in seconds.
        p50: their median in seconds, interpolated; NaN without observations.
        p99: the same for the 99th percentile.
    """

    metric: str
    labels: Mapping[str, str]
    count: int
    total: float
    p50: float
    p99: float

    @property
    def mean(self) -> float:
        """Seconds per observation; NaN without observations."""
        return self.total / self.count if self.count else math.nan

    @property
    def plugin(self) -> str:
        """The plugin, or "" where the figure is of a whole extension point or attempt."""
        return self.labels.get("plugin", "")

    @property
    def extension_point(self) -> str:
        """The extension point (PreFilter, Filter, PreScore, Score, ...), or ""."""
        return self.labels.get("extension_point", "")


def read_metrics(
    url: str, token: str = "", timeout: float = 10.0, verify: bool = True
) -> list[ServedFigure]:
    """Fetch a scheduler's metrics.

    Args:
        url: the page, for example https://127.0.0.1:10259/metrics.
        token: a bearer token that may read it.
        timeout: seconds to wait for an answer, and again for all of the page.
        verify: whether to check the server's certificate (kube-scheduler's is self-signed unless
            it was given one).

    Raises:
        MetricsError: it cannot be fetched, or has no scheduler histograms.
    """
    request = _request(url)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    # None is the same as ssl's default context, made where a connection needs it.
    context = None if verify else _unverified()
    try:
        with urllib.request.urlopen(request, timeout=timeout, context=context) as page:  # noqa: S310
            text = _whole(page, timeout).decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        hint = "; give a token that may read /metrics" if error.code in (401, 403) else ""
        raise MetricsError(f"{url}: answered {error.code} {error.reason}{hint}") from None
    except MetricsError as error:
        raise MetricsError(f"{url}: {error}") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise MetricsError(f"{url}: {reason}; is a kube-scheduler listening there?") from None
    return _figures_of(text, url)


def read_saved_metrics(file: BinaryIO, name: str) -> list[ServedFigure]:
    """A scheduler's metrics from a page that somebody has saved.

    Args:
        file: the page.
        name: what it is called in errors.

    Raises:
        MetricsError: it cannot be read, or has no scheduler histograms.
    """
    try:
        page = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise MetricsError(f"{name}: {error.strerror}") from None
    if len(page) > _MOST_BYTES:
        raise MetricsError(f"{name}: {_too_large()}")
    return _figures_of(page.decode("utf-8", "replace"), name)


def _figures_of(text: str, name: str) -> list[ServedFigure]:
    figures = parse_metrics(text)
    if not figures:
        raise MetricsError(f"{name}: has none of {', '.join(KNOWN)}; is it a kube-scheduler's?")
    return figures


def _request(url: str) -> urllib.request.Request:
    try:
        if urlsplit(url).scheme in ("http", "https"):
            return urllib.request.Request(url)  # noqa: S310 - the scheme has just been checked
    except ValueError as error:
        raise MetricsError(f"{url}: is no address ({error})") from None
    raise MetricsError(f"{url}: must begin with http:// or https://")


def _whole(page: http.client.HTTPResponse, timeout: float) -> bytes:
    """The page to its end, which must come."""
    give_up = time.monotonic() + timeout
    pieces, size = [], 0
    while piece := page.read1(_PIECE):
        pieces.append(piece)
        size += len(piece)
        if size > _MOST_BYTES:
            raise MetricsError(_too_large())
        if time.monotonic() > give_up:
            raise MetricsError(f"has not come to its end in {timeout:g} s")
    return b"".join(pieces)


def _too_large() -> str:
    return f"has more than {_MOST_BYTES >> 20} MiB, so it is no metrics page"


def parse_metrics(text: str) -> list[ServedFigure]:
    """The scheduler's histograms in a page of Prometheus text, in the order of the page.

    Raises:
        MetricsError: a line of theirs is malformed; the message has its number.
    """
    buckets: defaultdict[tuple[str, Labels], list[tuple[float, float]]] = defaultdict(list)
    sums: dict[tuple[str, Labels], float] = {}
    counts: dict[tuple[str, Labels], float] = {}
    # Line by line: a list of all may take a hundred times what the text does.
    for number, line in enumerate(io.StringIO(text), 1):
        if not line.startswith("scheduler_"):
            continue
        name, labels, value = _sample(line.rstrip(), number)
        metric, _, part = name.rpartition("_")
        if metric not in KNOWN:
            continue
        key = (metric, tuple(item for item in sorted(labels.items()) if item[0] != "le"))
        if part == "bucket":
            buckets[key].append((_number(labels.get("le", ""), number), value))
        elif part == "sum":
            sums[key] = _finite(value, number)
        elif part == "count":
            counts[key] = _finite(value, number)
    return [_figure(key, counts[key], sums.get(key, math.nan), buckets[key]) for key in counts]


def _sample(line: str, number: int) -> tuple[str, dict[str, str], float]:
    match = _SAMPLE.match(line)
    if match is None:
        raise MetricsError(f"line {number}: not a Prometheus sample: {line[:80]!r}")
    name, inside, value = match.groups()
    return name, _labels(inside or "", number), _number(value, number)


def _labels(text: str, number: int) -> dict[str, str]:
    labels, position = {}, 0
    while position < len(text):
        match = _LABEL.match(text, position)
        if match is None:
            raise MetricsError(f"line {number}: malformed labels: {text[position:][:80]!r}")
        labels[match.group(1)] = _ESCAPED.sub(_unescaped, match.group(2))
        position = match.end()
    return labels


def _unescaped(found: re.Match[str]) -> str:
    return "\n" if found.group(1) == "n" else found.group(1)


def _number(text: str, line: int) -> float:
    try:
        return float(text)
    except ValueError:
        raise MetricsError(f"line {line}: {text!r} is not a number") from None


def _finite(value: float, line: int) -> float:
    if not abs(value) <= _LARGEST:
        raise MetricsError(f"line {line}: {value} is neither a time nor a count")
    return value


def _figure(
    key: tuple[str, Labels], count: float, total: float, buckets: Iterable[tuple[float, float]]
) -> ServedFigure:
    metric, labels = key
    ordered = sorted(buckets)
    return ServedFigure(
        metric,
        dict(labels),
        int(count),
        total,
        _quantile(0.5, ordered),
        _quantile(0.99, ordered),
    )


def _quantile(share: float, buckets: list[tuple[float, float]]) -> float:
    """Interpolated within its bucket; in the last, unbounded one that bucket's lower bound."""
    if not buckets or not buckets[-1][1]:
        return math.nan
    rank, below, seen = share * buckets[-1][1], 0.0, 0.0
    for bound, count in buckets:
        if count >= rank:
            if math.isinf(bound):
                return below
            inside = count - seen
            return below + (bound - below) * ((rank - seen) / inside) if inside else bound
        below, seen = bound, count
    return below


def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
