import os
import subprocess
import sys
from dataclasses import dataclass

import pytest
from cli_program import EXTRA, PROGRAM

from cnbench import experiments
from cnbench.cli.main import main
from cnbench.experiments import registry


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    def failed_in_one_sentence(self, code, *words):
        """Check that it ended so, and that a person can read why."""
        assert self.code == code, self.err
        assert "Traceback" not in self.err
        assert self.out == ""
        # click puts how to use the command before its sentence.
        said = [line for line in self.err.splitlines() if line.startswith(("cnbench: ", "Error: "))]
        assert len(said) == 1, self.err
        for word in words:
            assert word in self.err


@pytest.fixture
def results(tmp_path, monkeypatch):
    """The folder of run files, in a current folder that has nothing else."""
    folder = tmp_path / "runs"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CNBENCH_RESULTS", str(folder))
    return folder


@pytest.fixture
def extra_experiments(monkeypatch):
    """The made-up experiment, known to this process."""
    monkeypatch.setattr(experiments, "__path__", [*experiments.__path__, str(EXTRA)])
    registry.names.cache_clear()
    registry.experiment_called.cache_clear()
    yield
    registry.names.cache_clear()
    registry.experiment_called.cache_clear()
    sys.modules.pop("cnbench.experiments.made_up", None)


@pytest.fixture
def cnbench(results, extra_experiments, monkeypatch, capsys):
    """Calls the command in this process, exit code and all."""

    def call(*argv):
        monkeypatch.setattr(sys, "argv", ["cnbench", *map(str, argv)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    return call


@pytest.fixture
def spawn(results):
    """Starts the command as a process of its own, in a process group of its own."""
    started = []

    def start(*argv, before=(), **environment):
        process = subprocess.Popen(
            [*before, sys.executable, "-c", PROGRAM, *map(str, argv)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
            process_group=0,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def run_process(spawn):
    """Runs the command as a process of its own, to its end."""

    def run(*argv, **options):
        process = spawn(*argv, **options)
        out, err = process.communicate(timeout=300)
        return Done(process.returncode, out, err)

    return run
