import json

import pytest
from running import NOWHERE, Run, two_lines

from ballonet.errors import BallonetError
from ballonet.policy.diagnose import Finding
from ballonet.policy.findings import Severity
from ballonet.show.findings import findings_text


def found(output: str) -> dict[str, set[str | None]]:
    """Return the codes by subject."""
    document = json.loads(output)
    assert "ballonet/v1" == document["schema"]
    codes: dict[str, set[str | None]] = {}
    for finding in document["findings"]:
        codes.setdefault(finding["subject"], set()).add(finding["code"])
    return codes


def test_a_host_with_problems(ballonet: Run, host: str) -> None:
    result = ballonet("-c", host, "doctor", "-o", "json")
    assert BallonetError.exit_code == result.returncode
    codes = found(result.stdout)
    assert {"no-device"} == codes["bare"]
    assert {"locked", "no-period"} == codes["locked"]
    # The test driver's guests say that they reported last in 1989, and have no process.
    web = {"blind", "unseen", "starts-smaller", "autodeflate-off", "reporting-off"}
    assert web == codes["web"]
    assert {"forgets-period", "autodeflate-off", "reporting-off"} == codes["off"]


def test_one_guest_that_has_only_advice_is_fine(ballonet: Run, host: str) -> None:
    result = ballonet("-c", host, "doctor", "off", "-o", "json")
    assert 0 == result.returncode
    assert {"off"} == found(result.stdout).keys() - {"host"}


def test_remedies_stand_alone_on_their_lines(ballonet: Run, host: str) -> None:
    result = ballonet("-c", host, "doctor")
    assert BallonetError.exit_code == result.returncode
    assert "remedy   ballonet period locked 1s --live --config\n" in result.stdout
    assert "remedy   ballonet set web 2GiB --config\n" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("4 problems, ")


def test_without_a_hypervisor_the_host_is_still_looked_at(ballonet: Run) -> None:
    result = ballonet("-c", NOWHERE, "doctor", "-o", "json")
    assert BallonetError.exit_code == result.returncode
    assert "" == result.stderr
    [finding] = [each for each in json.loads(result.stdout)["findings"] if each["code"] == "unreachable"]
    assert "no libvirt daemon answers" in finding["what"]
    assert "systemctl start libvirtd" in finding["remedy"]
    assert ("problem", "host", None) == (finding["severity"], finding["subject"], finding["uuid"])


def test_a_read_only_connection_is_a_problem(ballonet: Run, host: str) -> None:
    result = ballonet("-c", host, "-r", "doctor", "off", "-o", "json")
    assert BallonetError.exit_code == result.returncode
    assert "read-only" in found(result.stdout)["host"]


@pytest.mark.parametrize(("arguments", "code"), [(("doctor", "nobody"), 4), (("-c", "odd", "doctor"), 2)])
def test_what_is_no_finding_but_an_error(
    ballonet: Run, host: str, arguments: tuple[str, ...], code: int
) -> None:
    result = ballonet("-c", host, *arguments)
    assert code == result.returncode
    two_lines(result)


def finding(subject: str, *, code: str = "silent", what: str = "is silent", remedy: str = "") -> Finding:
    return Finding(Severity.WARNING, code, subject, subject, what, "Nobody knows what it needs.", remedy)


def test_what_is_the_same_for_several_guests_is_said_once() -> None:
    same = [finding("a", remedy="wake a"), finding("b", remedy="wake b"), finding("c", remedy="wake a")]
    expected = """\
warning  a, b, c: is silent
why      Nobody knows what it needs.
remedy   wake a
         wake b

warning  d: sleeps
why      Nobody knows what it needs.

4 warnings."""
    assert expected == findings_text([*same, finding("d", what="sleeps")])


def test_reasons_are_wrapped_and_remedies_are_not() -> None:
    remedy = "virt-xml a --edit --memballoon autodeflate=on"
    lines = findings_text([finding("a", remedy=remedy)], 30).splitlines()
    assert ["why      Nobody knows what it", "         needs.", f"remedy   {remedy}"] == lines[1:4]


def test_nothing_found() -> None:
    assert "Nothing keeps ballooning from working" in findings_text([])


def test_a_name_cannot_move_the_cursor() -> None:
    assert "\x1b" not in findings_text([finding("a\x1b[2J", what="\x1b[1mis silent", remedy="\x1b]0;x")])
