"""The manual page: whole, and set by groff without a complaint."""

import re
import shutil
import subprocess

import click
import pytest

from cnbench.cli.main import COMMANDS, INTERRUPTED, cli
from cnbench.cli.manual import EXIT_STATUS, page
from cnbench.core.errors import ExitCode

needs_groff = pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")


def of(command, name="cnbench"):
    return "\n".join(page(click.Context(command, info_name=name), "0.1.0")) + "\n"


def set_by_groff(text):
    argv = ["groff", "-man", "-ww", "-Tutf8", "-P-cbou"]
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_every_command_and_every_exit_code_is_in_it():
    text = of(cli)
    assert [
        name for name in COMMANDS if f'.SS "cnbench {name}"' not in text.replace("\\-", "-")
    ] == []
    assert {*ExitCode, INTERRUPTED} == set(EXIT_STATUS)


@needs_groff
def test_groff_sets_it_without_a_complaint():
    said, complaints = set_by_groff(of(cli))
    assert complaints == ""
    plain = " ".join(said.split())
    for words in (
        "cnbench run [OPTIONS] [EXPERIMENT|@PRESET]...",
        "--services-from FILE",
        "cnbench baseline save",
        "EXIT STATUS",
        "CNBENCH_DEBIAN_MIRROR",
    ):
        assert words in plain
    # Examples stand line by line, to be copied.
    assert re.search(r"^ +cnbench run --resume latest$", said, re.M)


@needs_groff
def test_nothing_in_a_help_text_is_a_request_of_roff():
    @click.group()
    def odd():
        """Odd things.

        .so /etc/hostname is not read, nor is 'quoted' or back\\slashed.

        \b
        .de nothing
        'br  ^ ~ ` -x
        """

    said, complaints = set_by_groff(of(odd, "odd"))
    assert complaints == ""
    assert ".so /etc/hostname is not read, nor is 'quoted' or back\\slashed." in " ".join(
        said.split()
    )
    assert re.search(r"^ +\.de nothing$", said, re.M)
    assert re.search(r"^ +'br  \^ ~ ` -x$", said, re.M)


def test_the_command_prints_it(cnbench):
    done = cnbench("manual")
    assert done.code == 0
    assert done.out.startswith(".TH CNBENCH 1")
