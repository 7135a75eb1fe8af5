"""Addresses to listen on: this host's own, and no other."""

import pytest

from ballonet.errors import UsageError
from ballonet.facts.address import Address, read_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9779", Address("127.0.0.1", 9779)),
        (" 127.0.0.1:9779 ", Address("127.0.0.1", 9779)),
        ("127.1.2.3:0", Address("127.1.2.3", 0)),
        ("LOCALHOST:80", Address("127.0.0.1", 80)),
        ("[::1]:65535", Address("::1", 65535)),
        ("[0:0:0:0:0:0:0:1]:1", Address("::1", 1)),
    ],
)
def test_addresses_of_this_host_are_read(text: str, address: Address) -> None:
    assert address == read_address(text)
    assert address == read_address(str(address))


@pytest.mark.parametrize(
    "text",
    ["", "9779", "127.0.0.1", ":9779", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "::1:9779", "on"],
)
def test_what_is_no_address_with_a_port_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no address with a port") as caught:
        read_address(text)
    assert caught.value.hint


@pytest.mark.parametrize(
    "text", ["0.0.0.0:9779", "192.168.0.1:9779", "[::]:9779", "[::ffff:127.0.0.1]:9", "128.0.0.1:1"]
)
def test_what_others_could_reach_is_refused_with_a_way_that_is_safe(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_address(text)
    assert ("ssh -L" in caught.value.hint) == ("ffff" not in text)


@pytest.mark.parametrize("text", ["example.org:80", "127.1:80", "[1]:80", "127.0.0.1.evil.example:80"])
def test_names_and_odd_spellings_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no address of this host"):
        read_address(text)
