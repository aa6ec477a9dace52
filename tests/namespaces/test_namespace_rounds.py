"""What counts of the times that one sample begins and ends a namespace."""

from cnbench.experiments.namespaces.subject import of_rounds

# Seven rounds of an IPC namespace on 6.12: a slab's next page (157), two of them, a new slab with
# random numbers (3,105), and an end that a load average's period made 73 shorter.
BEGAN = (67_146, 68_458, 67_303, 66_989, 70_094, 67_146, 66_989)
ENDED = (75_384, 75_384, 75_311, 75_384, 75_523, 75_384, 75_384)


def test_a_sample_has_the_least_beginning_and_the_median_end():
    assert of_rounds(list(zip(BEGAN, ENDED, strict=True))) == {
        "create": 66_989,
        "destroy": 75_384,
    }


def test_of_one_round_it_is_that_round():
    assert of_rounds([(2.0, 3.0)]) == {"create": 2.0, "destroy": 3.0}
