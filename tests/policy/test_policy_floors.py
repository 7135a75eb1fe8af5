"""How small a guest may become, for guests of all sizes, in the shape that was asked."""

import numpy as np
import pytest

from ballonet.policy.floors import floor_bytes, hard_floor_bytes, reclaim_mark_bytes, reserve_bytes
from ballonet.units import GIB, MIB


@pytest.mark.parametrize(
    ("maximum_mib", "reserve", "mark", "hard", "floor"),
    [
        (64, 48, 16, 64, 64),  # no more than there is
        (512, 48, 16, 104, 256),
        (560, 48, 16, 104.75, 256),
        (561, 48, 88, 104.765625, 256),
        (1024, 76.8, 88, 140.8, 256),
        (2048, 153.6, 88, 233.6, 512),
        (4096, 256, 88, 368, 1024),
        (4097, 256, 132, 368.015625, 1024.25),
        (65536, 256, 132, 1328, 16384),
    ],
)
def test_sizes_by_hand_in_mib(
    maximum_mib: int, reserve: float, mark: float, hard: float, floor: float
) -> None:
    maximum = maximum_mib * MIB

    functions = (reserve_bytes, reclaim_mark_bytes, hard_floor_bytes, floor_bytes)
    assert [int(size * MIB) for size in (reserve, mark, hard, floor)] == [each(maximum) for each in functions]


def test_a_number_is_answered_by_one_of_its_kind_and_a_column_by_a_column() -> None:
    for function in (reserve_bytes, reclaim_mark_bytes, hard_floor_bytes, floor_bytes):
        whole = function(GIB)
        assert isinstance(whole, int)
        assert isinstance(function(float(GIB)), float)
        assert [whole, whole] == function(np.full(2, float(GIB))).tolist()
