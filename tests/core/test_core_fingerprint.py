from dataclasses import replace

import made_up

from cnbench.core.fingerprint import differences
from cnbench.core.proof import Proof, equal, true

HERE = made_up.HERE


def test_equal_environments_have_equal_digests():
    assert replace(HERE).digest == HERE.digest
    assert replace(HERE, kernel="6.2.0").digest != HERE.digest


def test_what_could_explain_an_effect_is_essential():
    other = replace(
        HERE, kernel="6.2.0", machine=HERE.machine | {"cpus": "4"}, behaviour={"CONFIG_HZ": "1000"}
    )
    found = differences(HERE, other)
    assert [d.what for d in found] == ["kernel", "machine: cpus", "behaviour: CONFIG_HZ"]
    assert all(d.essential for d in found)


def test_a_tool_is_noted_but_not_essential():
    (found,) = differences(HERE, replace(HERE, tools={"python": "3.13"}))
    assert (found.what, found.one, found.other) == ("tools: python", "3.11", "3.13")
    assert not found.essential


def test_what_one_of_them_could_not_read_is_no_difference_that_matters():
    # A module's sysctl appears when the first run of an experiment loads the module.
    loaded = replace(HERE, behaviour=HERE.behaviour | {"net.netfilter.nf_conntrack_max": "65536"})
    (found,) = differences(HERE, loaded)
    assert (found.one, found.other, found.essential) == ("absent", "65536", False)


def test_essential_differences_come_first():
    other = replace(HERE, behaviour={}, machine=HERE.machine | {"cpus": "4"}, tools={})
    assert [d.essential for d in differences(HERE, other)] == [True, False, False]


def test_a_proof_holds_by_its_checks_and_never_without_one():
    assert Proof((equal("counted", 3, 3), true("inside", "yes", True))).holds
    broken = Proof((equal("counted", 3, 4), true("inside", "yes", True)))
    assert not broken.holds
    assert [check.claim for check in broken.broken] == ["counted"]
    assert not Proof().holds
