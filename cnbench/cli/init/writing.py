"""The files that `cnbench init` writes, from their templates; what is there is left alone."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import dataclass
from pathlib import Path

import jinja2

from cnbench.cli.init.finding import Found
from cnbench.core.errors import UsageError

# kube-proxy's modes, and the service that a list of rules costs most for.
AXES = {"mode": ["iptables", "nftables", "ipvs"]}
FIXED = {"measure": "connect", "position": "last", "probes": "100"}

# Where each goes, and its template.
_FILES = {
    "cnbench.toml": "cnbench.toml.j2",
    "asv.conf.json": "asv.conf.json.j2",
    "benchmarks/__init__.py": "package.py.j2",
    "benchmarks/services.py": "benchmarks.py.j2",
    "ci/cnbench.sh": "cnbench.sh.j2",
    ".github/workflows/cnbench.yml": "workflow.yml.j2",
    ".gitignore": "gitignore.j2",
}
_EXECUTABLE = (".sh",)


@dataclass(frozen=True)
class Written:
    """What became of the files, seen from the repository's root."""

    new: tuple[str, ...]
    left_alone: tuple[str, ...]


def write(root: Path, found: Found, fail_on: str) -> Written:
    """Write what is not there yet.

    Raises:
        UsageError: a file could not be written.
    """
    environment = _environment()
    new: list[str] = []
    left_alone: list[str] = []
    for name, template in _FILES.items():
        contents = environment.get_template(template).render(
            found=found, axes=AXES, fixed=FIXED, fail_on=fail_on
        )
        (new if _write_new(root / name, contents) else left_alone).append(name)
    return Written(tuple(new), tuple(left_alone))


def _write_new(path: Path, contents: str) -> bool:
    """Whether ``path`` was not there, and is now."""
    mode = 0o777 if path.suffix in _EXECUTABLE else 0o666
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags, mode), "w", encoding="utf-8") as file:
            file.write(contents)
    except FileExistsError:
        return False
    except OSError as error:
        raise UsageError(f"{path} could not be written: {error.strerror}") from error
    return True


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cnbench.cli.init"),
        autoescape=False,  # noqa: S701  no HTML: every value is written by one of the filters below
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # What they contain has brackets of its own: of shells, of JSON, of workflows.
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
    )
    environment.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False)
    environment.filters["shell"] = shlex.quote
    return environment
