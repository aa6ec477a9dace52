"""The wheel and the sdist have what is in the package, and work without the checkout."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def build(kind, source, folder):
    """Build as ``pip`` has it done: by the backend that pyproject.toml names."""
    program = f"from hatchling import build; print(build.build_{kind}({str(folder)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=source, capture_output=True, text=True, check=True
    )
    return folder / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


def files_of(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def of_the_package():
    argv = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run([*argv, "cnbench"], capture_output=True, text=True, check=True)
    return {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}


def test_the_wheel_has_the_package_and_nothing_else(wheel):
    assert files_of(wheel) == of_the_package()


def test_the_sdist_makes_the_same_wheel(wheel, tmp_path):
    sdist = build("sdist", ROOT, tmp_path)
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (source,) = (tmp_path / "unpacked").iterdir()
    again = build("wheel", source, tmp_path)
    with zipfile.ZipFile(wheel) as first, zipfile.ZipFile(again) as second:
        assert {name: first.read(name) for name in first.namelist()} == {
            name: second.read(name) for name in second.namelist()
        }


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
