"""Profiles: where the instructions of a case go, one file a case, which the report shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from cnbench.core.case import Case
from cnbench.core.codec import from_plain
from cnbench.core.errors import UsageError
from cnbench.store import whole_file
from cnbench.store.runs import results_folder

FORMAT = "cnbench-profile"
_SCHEMA = 1


@dataclass(frozen=True)
class Profile:
    """Where the instructions of one case go.

    Attributes:
        case: what was measured, and where.
        metric: whose figure is explained.
        release: the guest kernel's ``uname -r``.
        figure: what the sample said, in instructions.
        stacks: instructions by stack, functions joined by ``;``, the thread first (the form of
            Brendan Gregg's stackcollapse scripts).
        taken: when, by this machine's clock (ISO 8601).
    """

    case: Case
    metric: str
    release: str
    figure: float
    stacks: Mapping[str, int]
    taken: str

    @property
    def counted(self) -> int:
        """Instructions of all stacks."""
        return sum(self.stacks.values())

    @property
    def explained(self) -> float:
        """That, as a share of the figure."""
        return self.counted / self.figure


def plain(profile: Profile) -> dict[str, object]:
    """``profile`` as JSON values, as it is in a file."""
    return {"format": FORMAT, "schema": _SCHEMA, **asdict(profile)}


def keep(profile: Profile) -> Path:
    """Write ``profile`` where the report looks for it, in place of an older one of its case.

    Raises:
        UsageError: it could not be written.
    """
    name = hashlib.sha256(f"{profile.metric} {profile.case.key}".encode()).hexdigest()[:16]
    path = _folder() / f"{profile.case.experiment}-{name}.json"
    contents = json.dumps(plain(profile), indent=1, ensure_ascii=False) + "\n"
    whole_file.write(path, contents.encode(), "the profile")
    return path


def kept() -> list[Profile]:
    """All that were kept, in the order of their names.

    Raises:
        UsageError: a file among them is no profile.
    """
    return list(_read_all())


def _read_all() -> Iterator[Profile]:
    for path in sorted(_folder().glob("*.json")):
        try:
            found = json.loads(path.read_text())
            if found["format"] != FORMAT or found["schema"] > _SCHEMA:
                raise ValueError("another format")
            yield from_plain(Profile, found)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise UsageError(
                f"{path} is no profile of this cnbench: {error}", "move it away"
            ) from error


def _folder() -> Path:
    """Beside the folder of runs."""
    return results_folder().parent / "profiles"
