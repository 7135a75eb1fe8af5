"""URIs: what cannot be one, and which mean the same hypervisor."""

import os

import pytest

from ballonet.errors import UsageError
from ballonet.facts.uri import canonical, check_uri, check_uris, host_of, sockets_of


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "qemu",
        "qemu:/system",
        "qemu:///sys tem",
        "qemu:///system\n",
        "qemu+ssh://[::1/system",
        "qemu+ssh://host:port/system",
        "qemo:///system",
        "qemu:///embed",
        "qemu:///embed?root=here",
    ],
)
def test_what_cannot_be_one_is_refused_with_a_hint(uri: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_uri(uri)
    assert "qemu:///" in refused.value.hint


@pytest.mark.parametrize(
    "uri", ["qmp:", "qmp:/run/", "qmp:///run/a", "qmp://host/a", "qmp:/a b", "qmp:/a\n", "qmp:/run/**/a.qmp"]
)
def test_what_names_no_sockets_is_refused_with_a_hint(uri: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_uri(uri)
    assert refused.value.hint


def test_sockets_are_found_from_wherever_they_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.chdir("/usr")
    assert "/run/*.qmp" == sockets_of("qmp:/run//x/../*.qmp")
    assert "/home/me/a.qmp" == sockets_of("qmp:~/a.qmp")
    assert "/usr/a.qmp" == sockets_of("qmp:a.qmp")
    assert sockets_of("qemu:///system") is None
    check_uri("qmp:a.qmp")
    assert "" == host_of("qmp:/run/[a]*.qmp")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("qmp:/run/*.qmp", "qmp:/run/./vms/../*.qmp"),
        ("qemu:///system", "qemu+unix:///system"),
        ("qemu:///system", "qemu:///system/"),
        ("qemu+ssh://root@host/system", "qemu+tls://HOST/system?no_verify=1"),
        ("qemu:///embed?root=/a/b", "qemu:///embed?root=/a//b/"),
        ("qemu:///session", "qemu+unix:///session"),
    ],
)
def test_ways_to_one_hypervisor(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)
    with pytest.raises(UsageError, match="is the same hypervisor as"):
        check_uris([one, other])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("qemu:///system", "qemu:///session"),
        ("qemu:///system", "xen:///system"),
        ("qemu:///system", "qemu+ssh://host/system"),
        ("qemu+ssh://host:1/system", "qemu+ssh://host:2/system"),
        ("qemu+ssh://anna@host/session", "qemu+ssh://bob@host/session"),
        ("qemu:///embed?root=/a", "qemu:///embed?root=/b"),
        ("qemu:///system", "qemu+unix:///system?socket=/a"),
        ("test:///default", "test:///etc/host.xml"),
        ("vpx://host", "vpx://host/centre"),
    ],
)
def test_hypervisors_of_their_own(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)
    check_uris([one, other])


def test_one_named_twice() -> None:
    with pytest.raises(UsageError, match="'test:///default' is named twice"):
        check_uris(["test:///default", "test:///default"])


def test_a_session_is_its_users() -> None:
    assert f"qemu:///session/{os.getuid()}" == canonical("qemu:///session")


def test_where_guests_run() -> None:
    assert ["", "host"] == [host_of("qemu:///system"), host_of("qemu+ssh://root@Host:22/system")]
