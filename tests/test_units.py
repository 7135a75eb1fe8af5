"""Sizes and durations survive the round trip, and everything doubtful is refused with a hint."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballonet.errors import UsageError
from ballonet.units import (
    exact_duration,
    exact_size,
    format_duration,
    format_size,
    parse_duration,
    parse_size,
)

SUFFIXES = {
    "b": 1,
    "bytes": 1,
    **{prefix: 1024**power for power, prefix in enumerate("KMGTPE", 1)},
    **{f"{prefix}iB": 1024**power for power, prefix in enumerate("KMGTPE", 1)},
    **{f"{prefix}B": 1000**power for power, prefix in enumerate("KMGTPE", 1)},
}
LARGEST = 2**63 - 1


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1500M", 1500 * 2**20),
        ("1.5GiB", 3 * 2**29),
        ("1.5 GiB", 3 * 2**29),
        (".5g", 2**29),
        (" 2GB ", 2 * 10**9),
        ("1kb", 1000),
        ("1KIB", 1024),
        ("1k", 1024),
        ("1b", 1),
        ("12 bytes", 12),
        ("7.9EiB", round(Fraction("7.9") * 2**60)),
        ("0.1b", 0),  # whole bytes only
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert size == parse_size(text, zero=True)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("1500", "no unit"),
        ("0", "no unit"),
        ("1.5", "no unit"),
        ("-1G", "negative"),
        ("\N{MINUS SIGN}1G", "negative"),
        ("0G", "nothing"),
        ("0.1b", "nothing"),
        ("1.5.2G", "not a size"),
        ("1,5G", "not a size"),
        ("1  G", "not a size"),
        ("1e3M", "not a size"),
        ("G", "not a size"),
        ("", "not a size"),
        ("+1G", "not a size"),
        ("1G\n2G", "not a size"),
        ("\N{ARABIC-INDIC DIGIT ONE}G", "not a size"),
        ("1Q", "unknown unit"),
        ("1Gi", "unknown unit"),
        ("50%", "not a size"),
        ("8EiB", "too large"),
        ("9" * 5000 + "G", "too large"),
    ],
)
def test_sizes_that_are_refused(text: str, wrong: str) -> None:
    with pytest.raises(UsageError, match=wrong) as refused:
        parse_size(text)
    assert refused.value.hint


def test_a_bare_number_is_refused_with_the_reason() -> None:
    with pytest.raises(UsageError) as refused:
        parse_size("1500")
    assert all(tool in refused.value.hint for tool in ("KiB in virsh", "bytes in QMP", "MiB in Proxmox"))


@given(st.integers(1, LARGEST))
def test_bytes_are_exact(size: int) -> None:
    assert size == parse_size(f"{size}b")


@given(st.one_of(st.integers(0, LARGEST), st.integers(0, 2**13 - 1).map(lambda count: count * 2**50)))
def test_sizes_to_be_pasted_are_exact(size: int) -> None:
    assert size == parse_size(exact_size(size), zero=True)


@pytest.mark.parametrize(
    ("size", "text"), [(2**31, "2GiB"), (1500 * 2**20, "1500MiB"), (1001, "1001b"), (0, "0b")]
)
def test_sizes_to_be_pasted_are_short(size: int, text: str) -> None:
    assert text == exact_size(size)


@given(
    st.decimals(0, 10**6, places=6, allow_nan=False),
    st.sampled_from(sorted(SUFFIXES)),
    st.sampled_from(["", " "]),
    st.sampled_from([str.lower, str.upper, str]),
)
def test_fractions_are_exact_in_every_unit(number: object, suffix: str, space: str, case: object) -> None:
    exact = Fraction(str(number)) * SUFFIXES[suffix]
    text = case(f"{number}{space}{suffix}")  # type: ignore[operator]
    if exact > LARGEST:
        with pytest.raises(UsageError):
            parse_size(text)
    else:
        assert round(exact) == parse_size(text, zero=True)


@given(st.integers(0, LARGEST // (1.01).__ceil__()))
def test_a_printed_size_reads_as_nearly_the_same(size: int) -> None:
    read = parse_size(format_size(size), zero=True)
    assert abs(read - size) <= size * 0.005


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_size, parse_duration):
        hint = "none needed"
        try:
            parse(text)
        except UsageError as refused:
            hint = refused.hint
        assert hint


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.00 KiB"),
        (1000 * 2**20, "1000 MiB"),
        (1023.6 * 2**20, "1.00 GiB"),
        (1572864 * 1024, "1.50 GiB"),
        (12.345 * 2**30, "12.3 GiB"),
        (99.96 * 2**30, "100 GiB"),
        (9.996 * 2**30, "10.0 GiB"),
        (512 * 2**20, "512 MiB"),
        (-512 * 2**20, "-512 MiB"),
        (2**63, "8.00 EiB"),
    ],
)
def test_sizes_for_people(size: float, text: str) -> None:
    assert text == format_size(size)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("2s", 2.0),
        ("0.1s", 0.1),
        ("5m", 300.0),
        ("5min", 300.0),
        ("1.5h", 5400.0),
        ("2h30m", 9000.0),
        ("2 h 30 min", 9000.0),
        ("1D", 86400.0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert seconds == parse_duration(text)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("5", "no unit"),
        ("-5s", "negative"),
        ("0s", "nothing"),
        ("5x", "unknown unit"),
        ("s", "not a duration"),
        ("", "not a duration"),
        ("5s later", "not a duration"),
        ("1e9s", "unknown unit"),
        ("100000d", "too long"),
        ("9" * 5000 + "d", "too long"),
    ],
)
def test_durations_that_are_refused(text: str, wrong: str) -> None:
    with pytest.raises(UsageError, match=wrong) as refused:
        parse_duration(text)
    assert refused.value.hint


def test_a_bare_number_is_seconds_only_where_it_says_so() -> None:
    assert 5.0 == parse_duration("5", bare_seconds=True)
    assert 0.0 == parse_duration("0", bare_seconds=True, zero=True)
    with pytest.raises(UsageError, match="negative"):
        parse_duration("-5", bare_seconds=True)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.25, "250 ms"),
        (0.0005, "0.50 ms"),
        (0.9996, "1 s"),
        (3, "3 s"),
        (3.46, "3.5 s"),
        (42.3, "42 s"),
        (59.7, "1 min"),
        (150, "2 min 30 s"),
        (3599.9, "1 h"),
        (3900, "1 h 5 min"),
        (90000, "1 d 1 h"),
        (-3, "-3 s"),
    ],
)
def test_durations_for_people(seconds: float, text: str) -> None:
    assert text == format_duration(seconds)


LONGEST = 2**31 - 1


@given(st.one_of(st.integers(0, LONGEST).map(float), st.floats(0.0, LONGEST)))
def test_durations_to_be_pasted_are_exact(seconds: float) -> None:
    assert seconds == parse_duration(exact_duration(seconds), zero=True)


@pytest.mark.parametrize(
    ("seconds", "text"), [(90.0, "90s"), (2592000.0, "30d"), (7200.0, "2h"), (0.25, "250ms"), (0.0, "0s")]
)
def test_durations_to_be_pasted_are_short(seconds: float, text: str) -> None:
    assert text == exact_duration(seconds)


@given(st.floats(0.001, 10**8))
def test_a_printed_duration_reads_as_nearly_the_same(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, rel=0.05)
