import os
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from journals import line, make, ours

from cnbench.lab import journal, resources
from cnbench.lab.journal import Journal, collect


class JournalOfManyRuns(RuleBasedStateMachine):
    """Runs that make things, take them down, end and are killed, and a gc at any moment.

    A kill is played by closing the file and with it the lock, as the kernel does for the dead.
    """

    def __init__(self):
        super().__init__()
        self.home = tempfile.TemporaryDirectory()
        root = Path(self.home.name)
        self.folder, self.things = root / "journals", root / "things"
        self.folder.mkdir()
        self.things.mkdir()
        self.alive = []  # (journal, descriptor, path, its things)
        self.left, self.made = set(), set()
        self.count = 0

    def teardown(self):
        for _, descriptor, _, _ in self.alive:
            os.close(descriptor)
        self.home.cleanup()

    @rule()
    def begin(self):
        self.count += 1
        path = self.folder / f"run{self.count}.jsonl"
        descriptor = journal._create_locked(path)
        self.alive.append((Journal(f"run{self.count}", path, descriptor), descriptor, path, []))

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), made=st.booleans())
    def make(self, data, made):
        book, _, _, things = data.draw(st.sampled_from(self.alive))
        resource = ours(self.things)
        book._note("made", resource)
        if made:  # else the run is still about to
            make(resource)
            self.made.add(resource.what)
        things.append(resource)

    @precondition(lambda self: any(things for *_, things in self.alive))
    @rule(data=st.data())
    def take_down(self, data):
        book, _, _, things = data.draw(st.sampled_from([run for run in self.alive if run[-1]]))
        resources.remove(things[-1])
        book._note("gone", things.pop())

    @precondition(lambda self: any(not things for *_, things in self.alive))
    @rule(data=st.data())
    def end(self, data):
        run = data.draw(st.sampled_from([run for run in self.alive if not run[-1]]))
        self.alive.remove(run)
        run[2].unlink()
        os.close(run[1])

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), torn=st.booleans())
    def die(self, data, torn):
        run = data.draw(st.sampled_from(self.alive))
        self.alive.remove(run)
        _, descriptor, path, things = run
        os.close(descriptor)
        self.left |= {resource.what for resource in things}
        if torn:
            with path.open("a") as file:
                file.write(line("made", ours(self.things))[:20])

    @rule()
    def collect(self):
        removed, problems = collect(self.folder)
        assert {resource.what for resource in removed} == self.left
        assert problems == []
        self.left = set()
        assert len(list(self.folder.iterdir())) == len(self.alive)

    @invariant()
    def only_what_belongs_to_somebody_is_there(self):
        owned = {resource.what for *_, things in self.alive for resource in things}
        assert {str(path) for path in self.things.iterdir()} <= owned | self.left

    @invariant()
    def nothing_of_a_live_run_was_collected(self):
        for _, _, path, things in self.alive:
            assert path.exists()
            assert all(Path(r.what).exists() for r in things if r.what in self.made)


TestJournalOfManyRuns = JournalOfManyRuns.TestCase
TestJournalOfManyRuns.settings = settings(max_examples=25, stateful_step_count=15)
