"""Which kernel is older, when it was built, and the repository that says so to asv."""

from __future__ import annotations

import subprocess
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_kernels import RELEASES

from cnbench.asv.kernel_repository import write_repository
from cnbench.core.errors import CnbenchError
from cnbench.core.kernels.release import KernelRelease, read_release, release_order

IN_ORDER = list(RELEASES.values())


def test_versions_are_compared_as_numbers() -> None:
    releases = ["6.12.107+deb13-cloud-amd64", "5.10.0-32-cloud-amd64", "6.1.0-9", "6.1.0-50"]
    assert sorted(releases, key=release_order) == [
        "5.10.0-32-cloud-amd64",
        "6.1.0-9",
        "6.1.0-50",
        "6.12.107+deb13-cloud-amd64",
    ]


@given(st.lists(st.integers(0, 999), min_size=2, max_size=4), st.integers(1, 9))
def test_a_later_patch_is_later_whatever_its_suffix(version: list[int], more: int) -> None:
    later = [*version[:-1], version[-1] + more]
    one, other = (".".join(map(str, numbers)) for numbers in (version, later))
    assert release_order(f"{one}-cloud-amd64") < release_order(f"{other}+deb13-cloud-amd64")


@pytest.mark.parametrize(
    ("banner", "name", "built"),
    [
        (
            b"Linux version 6.1.0-50-cloud-amd64 (who@where) (gcc 12) #1 SMP Debian 6.1.176-1 "
            b"(2026-07-02)\n",
            "6.1.0-50-cloud-amd64",
            date(2026, 7, 2),
        ),
        (
            b"Linux version 6.8.0 (who@where) (gcc 13) #1 SMP Fri Mar  1 12:34:56 UTC 2024\n",
            "6.8.0",
            date(2024, 3, 1),
        ),
    ],
)
def test_a_kernel_says_when_it_was_built(
    tmp_path: Path, banner: bytes, name: str, built: date
) -> None:
    kernel = tmp_path / "vmlinux"
    # The format string that the kernel prints its banner with is no banner.
    kernel.write_bytes(b"\x7fELF Linux version %s (%s)\0" + banner + b"\0more")
    found = read_release(kernel)
    assert (found.name, found.built) == (name, built)


@pytest.mark.parametrize(
    ("contents", "why"),
    [
        (b"no kernel at all", "which Linux"),
        (b"", "cannot be read"),
        (b"Linux version 6.8.0 (who) #1 SMP someday\n", "when it was built"),
    ],
)
def test_no_date_is_made_up(tmp_path: Path, contents: bytes, why: str) -> None:
    kernel = tmp_path / "vmlinux"
    kernel.write_bytes(contents)
    with pytest.raises(CnbenchError, match=why):
        read_release(kernel)


def git(folder: Path, *arguments: str) -> list[str]:
    done = subprocess.run(
        ["git", f"--git-dir={folder}", *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_each_release_is_a_dated_and_tagged_commit_in_order(tmp_path: Path) -> None:
    commits = write_repository(tmp_path / "r.git", IN_ORDER)
    told = git(tmp_path / "r.git", "log", "--reverse", "--format=%H %ad %D", "--date=short-local")
    assert [line.split()[0] for line in told] == [commits[one.name] for one in IN_ORDER]
    for line, release in zip(told, IN_ORDER, strict=True):
        assert f"tag: {release.name}" in line
    dates = git(tmp_path / "r.git", "log", "--reverse", "--format=%ad %cd", "--date=iso-strict")
    assert dates[0] == "2024-08-10T00:00:00+00:00 2024-08-10T00:00:00+00:00"
    assert git(tmp_path / "r.git", "symbolic-ref", "HEAD") == ["refs/heads/kernels"]


def test_the_same_releases_make_the_same_commits(tmp_path: Path) -> None:
    first = write_repository(tmp_path / "a.git", IN_ORDER)
    assert write_repository(tmp_path / "b.git", IN_ORDER) == first


def test_a_later_version_that_was_built_earlier_still_comes_later(tmp_path: Path) -> None:
    releases = [
        KernelRelease("5.10.0", date(2026, 1, 1), ""),
        KernelRelease("6.1.0", date(2024, 1, 1), ""),
    ]
    write_repository(tmp_path / "r.git", releases)
    # The order that asv numbers commits by.
    in_order = git(tmp_path / "r.git", "rev-list", "--all", "--date-order", "--reverse")
    names = [git(tmp_path / "r.git", "tag", "--points-at", commit)[0] for commit in in_order]
    assert names == ["5.10.0", "6.1.0"]


def test_a_release_that_no_tag_can_be_called_is_tagged_all_the_same(tmp_path: Path) -> None:
    odd = KernelRelease("6.17~rc1..x.lock", date(2026, 1, 1), "a ‘description’\nof two lines")
    assert write_repository(tmp_path / "r.git", [odd])["6.17~rc1..x.lock"]
    assert len(git(tmp_path / "r.git", "tag")) == 1
