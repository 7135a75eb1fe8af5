"""Words of the command line and the settings: what they mean, or one line that says what is wrong."""

import ipaddress
from collections.abc import Callable

import pytest
from fuzzing import fuzzed, well_said
from hypothesis import example, given
from hypothesis import strategies as st

from ballonet.errors import UsageError
from ballonet.facts.address import read_address
from ballonet.facts.uri import canonical, check_uri
from ballonet.units import parse_duration, parse_size

texts = st.text(st.characters(exclude_categories=())) | st.text("0123456789.,-+eEkKmMgGiIbBsSdDhH% _\n\u0665")
uris = st.builds(
    "{}://{}/{}".format,
    st.sampled_from(["qemu", "qemu+ssh", "test", "xen+tls", ""]),
    st.text("[]@:%/a1.?#\u2100", max_size=10),
    st.sampled_from(["system", "session", "embed?root=/x", "embed?root=", "?socket=%00", "%ff?a&b=;"]),
)
addresses = st.builds(
    "{}:{}".format,
    st.sampled_from(
        ["127.0.0.1", "[::1]", "localhost", "0.0.0.0", "[::]", "127.1", "[::ffff:7f00:1]", "[::1%lo]"]
    )
    | st.text("0123456789.:[]abcfx%", max_size=20),
    st.sampled_from(["9779", "0", "65535", "65536", "-1", "\u0663", ""]),
)


@fuzzed
@given(texts)
@example("9" * 1_000_001 + "G")
@example("9" * 1_000_001 + "d")
@pytest.mark.parametrize("read", [parse_size, parse_duration])
def test_any_text_is_an_amount_above_nothing_or_refused(read: Callable[[str], float], text: str) -> None:
    try:
        amount = read(text)
    except UsageError as error:
        well_said(error)
    else:
        assert 0 < amount < 2**63


@fuzzed
@given(addresses | texts)
def test_any_text_is_an_address_of_this_host_alone_or_refused(text: str) -> None:
    try:
        found = read_address(text)
    except UsageError as error:
        well_said(error)
    else:
        assert ipaddress.ip_address(found.host).is_loopback
        assert found == read_address(str(found))


@fuzzed
@given(uris | texts)
def test_any_text_is_a_uri_that_means_one_hypervisor_or_refused(text: str) -> None:
    try:
        check_uri(text)
    except UsageError as error:
        well_said(error)
    else:
        assert canonical(text) == canonical(text)
        assert canonical(text).startswith("qmp:/") or "://" in canonical(text)
