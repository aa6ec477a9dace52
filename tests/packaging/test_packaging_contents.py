"""The wheel and the sdist have what is in the package, and work without the checkout."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


# Where there is a compiler (see hatch_build.py), for the machine that the wheel is built on.
COMPILED = re.compile(r"cnbench/scheduler/loops/compiled\..*\.so")


def build(kind, source, folder):
    """Build as ``pip`` has it done: by the backend that pyproject.toml names."""
    program = f"from hatchling import build; print(build.build_{kind}({str(folder)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=source, capture_output=True, text=True, check=True
    )
    return folder / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of the checkout: building compiles in place, which others may be importing from."""
    folder = tmp_path_factory.mktemp("source")
    for name in tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    return build("wheel", source, tmp_path_factory.mktemp("wheel"))


def contents_of(wheel):
    """Its files with what is in them, but for what is compiled and the list of their digests."""
    with zipfile.ZipFile(wheel) as archive:
        return {
            name: archive.read(name)
            for name in archive.namelist()
            if not COMPILED.fullmatch(name) and not name.endswith("/RECORD")
        }


def tracked():
    argv = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(argv, capture_output=True, text=True, check=True)
    files = {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}
    return {name for name in files if not COMPILED.fullmatch(name)}


def test_the_wheel_has_the_package_and_nothing_else(wheel):
    files = {name for name in contents_of(wheel) if ".dist-info/" not in name}
    assert files == {name for name in tracked() if name.startswith("cnbench/")}


def test_the_sdist_makes_the_same_wheel(source, wheel, tmp_path):
    sdist = build("sdist", source, tmp_path)
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    assert contents_of(build("wheel", unpacked, tmp_path)) == contents_of(wheel)


@pytest.mark.parametrize(
    "command", [("--version",), ("list", "cpu-quota"), ("behaviours", "--list")]
)
def test_the_wheels_code_runs_without_the_checkout(wheel, tmp_path, command):
    unpacked = tmp_path / "site"
    shutil.unpack_archive(wheel, unpacked, "zip")
    program = (
        "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); "
        "import cnbench; assert cnbench.__file__.startswith(sys.path[0]), cnbench.__file__; "
        "sys.argv[0] = 'cnbench'; runpy.run_module('cnbench', run_name='__main__', alter_sys=True)"
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, str(unpacked), *command],
        cwd=elsewhere,
        capture_output=True,
        text=True,
        env=os.environ | {"CNBENCH_RESULTS": str(tmp_path / "results")},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert not list(elsewhere.iterdir())


def test_the_module_is_the_command(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "cnbench", "run", "nothing-of-the-kind"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "nothing-of-the-kind" in done.stderr
    assert "Traceback" not in done.stderr
