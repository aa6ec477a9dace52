"""Files of objects that are none, and what stands for more than it should."""

import pytest

from cnbench.core.errors import ServiceError
from cnbench.proxy.objects.documents import read_documents
from cnbench.proxy.objects.manifest import load_services

# Refused before anything is built; were it not, the third would be some gigabytes.
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)
ODD = {
    "a day that is none": ("when: 2001-02-30", "day is out of range"),
    "an integer in words": ("n: !!int x", "invalid literal"),
    "a date in words": ("n: !!timestamp x", "neither JSON nor YAML"),
    "5,000 digits": ("n: " + "9" * 5000, "4300"),
    "5,000 digits in JSON": ('{"n": ' + "9" * 5000 + "}", "4300"),
    "sets of lists": ("? [a]\n: b", "unhashable"),
    "a bomb": (BOMB, "stands for more than 1,000,000 objects by its aliases"),
    "a merged bomb": ("a: &a {k: v}\n" + "".join(
        f"{after}: &{after} {{<<: [{', '.join([f'*{before}'] * 9)}]}}\n"
        for before, after in zip("abcdefgh", "bcdefghi", strict=True)), "by its aliases"),
    "itself": ("a: &a [*a]", "contains itself"),
    "deep lists": ("- " * 5000, "nested too deeply"),
    "deep flow": ("[" * 5000, "nested too deeply"),
    "deep JSON": ('{"items":[' * 5000, "nested too deeply"),
    "a tag": ("!!python/object:os.system x", "could not determine a constructor"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ODD)
def test_odd_text_is_one_sentence(tmp_path, kind):
    text, words = ODD[kind]
    path = tmp_path / "services.yaml"
    path.write_text(text)
    with pytest.raises(ServiceError) as refusal:
        load_services(path, mode="iptables")
    assert words in str(refusal.value)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_aliases_of_a_person_are_fine(tmp_path):
    path = tmp_path / "services.yaml"
    path.write_text("labels: &l {app: web}\nmore: [*l, *l, {<<: *l, x: y}]\n---\n&l a: *l\n")
    first, second = read_documents(path)
    assert first["more"] == [{"app": "web"}, {"app": "web"}, {"app": "web", "x": "y"}]
    assert second == {"a": "a"}


@pytest.mark.parametrize(
    "argv",
    [["--services", "-1"], ["--endpoints", "-1"], ["--services", "99999999999"],
     ["--services", "1" + "0" * 5000]],
)  # fmt: skip
def test_a_number_of_services_that_is_none(argv):
    from click.testing import CliRunner

    from cnbench.cli.kubernetes.services import command
    from cnbench.core.errors import UsageError

    ended = CliRunner().invoke(command, ["generate", "--mode", "iptables", *argv])
    assert ended.exit_code == 2 or isinstance(ended.exception, UsageError)
