"""What a guest says of itself: read strictly, and whatever it is, never more than an issue."""

from itertools import pairwise

import pytest
from fuzzing import fuzzed, well_said
from hypothesis import given
from hypothesis import strategies as st

from ballonet.config.metadata import LARGEST_CHARACTERS, NAMESPACE, read_metadata
from ballonet.config.values import Share, Size
from ballonet.errors import Issue, SettingsError
from ballonet.units import GIB


def refused(xml: str) -> list[Issue]:
    with pytest.raises(SettingsError) as error:
        read_metadata(xml)
    assert all(issue.message and issue.hint for issue in error.value.issues)
    return list(error.value.issues)


@pytest.mark.parametrize(
    "xml",
    [
        f'<ballonet:guest xmlns:ballonet="{NAMESPACE}" floor="1 GiB" ceiling="50%" weight="50" manage="no"/>',
        f"<guest xmlns='{NAMESPACE}' floor='1GiB' ceiling=' 50 %' weight='50' manage='false'></guest>",
        '<?xml version="1.0"?>\n<guest floor="1GiB" ceiling="50%" weight="050" manage="no">\n  </guest>\n',
    ],
)
def test_attributes_are_settings(xml: str) -> None:
    found = read_metadata(xml)

    assert (Size(GIB), Share(0.5), 50, False) == (found.floor, found.ceiling, found.weight, found.manage)


@pytest.mark.parametrize(("word", "value"), [("yes", True), ("true", True), ("no", False), ("false", False)])
def test_only_what_is_said_is_set(word: str, *, value: bool) -> None:
    found = read_metadata(f'<guest manage="{word}"/>')

    assert {"manage"} == found.model_fields_set
    assert value is found.manage
    assert set() == read_metadata("<guest/>").model_fields_set


@pytest.mark.parametrize(
    ("xml", "key", "message"),
    [
        ('<guest floor="1024"/>', "floor", "size '1024' has no unit"),
        ('<guest floor=""/>', "floor", "is not a size"),
        ('<guest floor="1GiB&#127;"/>', "floor", "is not a size"),
        ('<guest weight="-5"/>', "weight", "'-5' is not a whole number"),
        ('<guest weight="\u0665"/>', "weight", "is not a whole number"),
        ('<guest weight="99999999999999999999"/>', "weight", "is not a whole number"),
        ('<guest manage="maybe"/>', "manage", "'maybe' is neither true nor false"),
        ('<guest agent="maybe"/>', "agent", "'maybe' is neither true nor false"),
        ('<guest floors="1GiB"/>', "floors", "there is no such key"),
        ('<guest mode="enforce"/>', "mode", "there is no such key here"),
        ('<guest metadata_floor="100%"/>', "metadata_floor", "only the host's files can say it"),
        ('<guest xmlns:x="urn:x" x:floor="1GiB"/>', '"urn:x floor"', "there is no such key"),
    ],
)
def test_a_wrong_attribute_is_named(xml: str, key: str, message: str) -> None:
    [issue] = refused(xml)

    assert key == issue.key
    assert message in issue.message


def test_all_wrong_attributes_are_named() -> None:
    assert ["floor", "weight"] == [issue.key for issue in refused('<guest weight="x" floor="1"/>')]


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        ("", "they are not XML"),
        ("floor=1GiB", "they are not XML"),
        ("<guest", "they are not XML"),
        ("<guest/><guest/>", "they are not XML"),
        ('<guest floor="\x01"/>', "they are not XML"),
        ('<guest floor="&#1;"/>', "they are not XML"),
        ('<guest floor="\udc80"/>', "they are not XML"),
        ("<other/>", "not one element `guest`"),
        ('<guest xmlns="urn:other"/>', "not one element `guest`"),
        ('<guest><floor value="1GiB"/></guest>', "not one element `guest`"),
        ('<!DOCTYPE guest SYSTEM "file:///etc/passwd"><guest/>', "document type"),
        ('<!DOCTYPE a [<!ENTITY a "1GiB">]><guest floor="&a;"/>', "document type"),
        ("<guest>" + " " * LARGEST_CHARACTERS + "</guest>", "longer than 4096 characters"),
    ],
)
def test_what_is_no_such_element_is_refused(xml: str, message: str) -> None:
    [issue] = refused(xml)

    assert message in issue.message


def test_entities_that_would_grow_without_end_are_not_read() -> None:
    names = "abcdefghij"
    grown = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise(names))

    [issue] = refused(f'<!DOCTYPE z [<!ENTITY a "aaaaaaaaaa">{grown}]><guest floor="&j;"/>')

    assert "document type" in issue.message


ATTRIBUTES = st.dictionaries(
    st.sampled_from(["floor", "ceiling", "weight", "manage", "agent", "x", "xmlns"]),
    st.sampled_from(["1GiB", "5%", "no", "7", ""]) | st.text(),
    max_size=4,
).map(lambda said: "<guest " + " ".join(f'{key}="{value}"' for key, value in said.items()) + "/>")


@fuzzed
@given(st.text() | ATTRIBUTES)
def test_nothing_else_ever_happens(xml: str) -> None:
    try:
        read_metadata(xml)
    except SettingsError as error:
        well_said(error)
