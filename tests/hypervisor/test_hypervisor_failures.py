"""libvirt's errors in our words. The texts are those of libvirt 9.0."""

import libvirt
import pytest

from ballonet.errors import (
    BallonetError,
    DeadlineError,
    HypervisorError,
    NoSuchGuestError,
    NotPermittedError,
    RefusedError,
    UnreachableError,
    UsageError,
)
from ballonet.hypervisor.libvirt import LibvirtHypervisor
from ballonet.hypervisor.libvirt.failures import connection_failure, failure

INVALID = libvirt.VIR_ERR_OPERATION_INVALID

ON_GUESTS = [
    (libvirt.VIR_ERR_NO_DOMAIN, "Domain not found: no domain with matching uuid", NoSuchGuestError, "--all"),
    (
        libvirt.VIR_ERR_OPERATION_DENIED,
        "operation forbidden: read only access prevents virDomainSetMemoryFlags",
        NotPermittedError,
        "--read-only",
    ),
    (libvirt.VIR_ERR_ACCESS_DENIED, "access denied", NotPermittedError, "usermod"),
    (INVALID, "Requested operation is not valid: domain is not running", RefusedError, "virsh start"),
    (
        INVALID,
        "Unable to change memory of active domain without the balloon device and guest OS balloon driver",
        RefusedError,
        "--memballoon",
    ),
    (
        libvirt.VIR_ERR_INTERNAL_ERROR,
        "internal error: No memory balloon device configured, can not set the collection period",
        RefusedError,
        "--memballoon",
    ),
    (
        INVALID,
        "Requested operation is not valid: cannot resize the maximum memory on an active domain",
        RefusedError,
        "--config",
    ),
    (
        INVALID,
        "initial memory size of a domain with NUMA nodes cannot be modified with this API",
        RefusedError,
        "virsh edit",
    ),
    (
        INVALID,
        "Requested operation is not valid: transient domains do not have any persistent config",
        RefusedError,
        "virsh define",
    ),
    (
        libvirt.VIR_ERR_INVALID_ARG,
        "invalid argument: cannot set memory higher than max memory",
        RefusedError,
        "ballonet show",
    ),
    (
        libvirt.VIR_ERR_OPERATION_TIMEOUT,
        "Timed out during operation: cannot acquire state change lock (held by monitor=remoteDispatch)",
        DeadlineError,
        "virsh domjobinfo",
    ),
    (libvirt.VIR_ERR_INTERNAL_ERROR, "internal error: QEMU\n said:  no", HypervisorError, "journalctl"),
]


@pytest.mark.parametrize(("code", "text", "kind", "remedy"), ON_GUESTS)
def test_a_failed_call(code: int, text: str, kind: type[BallonetError], remedy: str) -> None:
    error = failure(code, text, "resizing web")
    assert kind is type(error)
    assert error.message.startswith("resizing web: ")
    assert remedy in error.hint
    assert "\n" not in error.message + error.hint


ON_CONNECTIONS = [
    (
        libvirt.VIR_ERR_SYSTEM_ERROR,
        "Failed to connect socket to '/var/run/libvirt/libvirt-sock': No such file or directory",
        UnreachableError,
        "systemctl start libvirtd",
    ),
    (
        libvirt.VIR_ERR_SYSTEM_ERROR,
        "Failed to connect socket to '/var/run/libvirt/libvirt-sock': Permission denied",
        NotPermittedError,
        "usermod",
    ),
    (
        libvirt.VIR_ERR_AUTH_UNAVAILABLE,
        "authentication unavailable: no polkit agent available to authenticate action 'x'",
        NotPermittedError,
        "usermod",
    ),
    (
        libvirt.VIR_ERR_NO_CONNECT,
        "no connection driver available for foo:///bar",
        UsageError,
        "qemu:///system",
    ),
    (
        libvirt.VIR_ERR_INTERNAL_ERROR,
        "internal error: Unable to parse URI qemu:::",
        UsageError,
        "qemu:///system",
    ),
    (
        libvirt.VIR_ERR_SYSTEM_ERROR,
        "Cannot recv data: Host key verification failed.",
        UnreachableError,
        "virsh -c",
    ),
]


@pytest.mark.parametrize(("code", "text", "kind", "remedy"), ON_CONNECTIONS)
def test_a_failed_connection(code: int, text: str, kind: type[BallonetError], remedy: str) -> None:
    error = connection_failure(code, text, "some://where")
    assert kind is type(error)
    assert "some://where" in error.message
    assert remedy in error.hint


@pytest.mark.parametrize(
    ("code", "text", "remedy"),
    [
        (
            libvirt.VIR_ERR_AUTH_UNAVAILABLE,
            "authentication unavailable: no polkit agent",
            "60-ballonet.rules",
        ),
        (
            libvirt.VIR_ERR_SYSTEM_ERROR,
            "Failed to connect socket to '/run/libvirt/libvirt-sock': Permission denied",
            "SupplementaryGroups=libvirt",
        ),
    ],
)
def test_a_unit_is_told_how_a_unit_gets_its_rights(
    monkeypatch: pytest.MonkeyPatch, code: int, text: str, remedy: str
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/systemd/notify")
    hint = connection_failure(code, text, "some://where").hint
    assert remedy in hint
    assert hint.endswith("then: systemctl restart ballonet")
    assert "sudo" not in hint
    assert "60-ballonet.rules" in failure(libvirt.VIR_ERR_ACCESS_DENIED, "access denied", "resizing web").hint


async def test_where_no_daemon_listens() -> None:
    with pytest.raises(UnreachableError, match="no libvirt daemon answers") as error:
        await LibvirtHypervisor.open("qemu+unix:///system?socket=/nonexistent")
    assert "systemctl start" in error.value.hint
