import traceback

import pytest

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.lab.refusal import asked_once


def test_each_question_is_asked_once_and_answered_each_time():
    asked = []

    @asked_once
    def ask(what, lab):
        asked.append(what)
        if what == "ipvs":
            raise UnsupportedError("this kernel has no IPVS", "use the guest lab")

    for _ in range(3):
        ask("nftables", "host")
        with pytest.raises(UnsupportedError, match="no IPVS") as refused:
            ask("ipvs", "host")
        assert refused.value.remedy == "use the guest lab"
        # Raised again and again, it does not grow by where it was raised before.
        assert len(traceback.extract_tb(refused.value.__traceback__)) == 2
    assert asked == ["nftables", "ipvs"]


def test_what_is_no_answer_is_asked_again():
    asked = []

    @asked_once
    def ask(what):
        asked.append(what)
        raise CnbenchError("the machine was short of memory")

    for _ in range(2):
        with pytest.raises(CnbenchError, match="short of memory"):
            ask("ipvs")
    assert len(asked) == 2
