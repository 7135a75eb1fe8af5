"""One settings file: its values and their lines, or all that is wrong with it, and never a wait."""

import os
from pathlib import Path
from typing import Any

import pytest
from fuzzing import fuzzed, well_said
from hypothesis import example, given
from hypothesis import strategies as st

from ballonet.config.read import LARGEST_BYTES, Origin, checked, layer, read_layer, read_text
from ballonet.config.values import Seconds, Share, Size
from ballonet.errors import Issue, SettingsError
from ballonet.units import GIB

GOOD = """\
[host]
budget = "75%"
reserve = "2 GiB"
surplus = "keep"
allow_swap = true

[service]
interval = "1s"

[guest.default]
[guest."web-*"]
weight = 400
manage = false
"""


def issues(text: str) -> list[Issue]:
    with pytest.raises(SettingsError) as refused:
        layer("x.toml", text)
    found = refused.value.issues
    assert all(issue.message and issue.hint and issue.file == "x.toml" for issue in found)
    return list(found)


def test_each_value_has_the_line_that_said_it() -> None:
    said = {".".join(key): (each.value, each.origin.line) for key, each in layer("x.toml", GOOD).items()}

    assert {
        "host.budget": (Share(0.75), 2),
        "host.reserve": (Size(2 * GIB), 3),
        "host.surplus": ("keep", 4),
        "host.allow_swap": (True, 5),
        "service.interval": (Seconds(1), 8),
        "guest.web-*.weight": (400, 12),
        "guest.web-*.manage": (False, 13),
    } == said


@pytest.mark.parametrize(
    ("text", "line", "key", "message", "hint"),
    [
        ("[host]\nbudget = 12", 2, "host.budget", "12 has no unit", '"12GiB"'),
        ('[host]\n\nreserve = "12"', 3, "host.reserve", "size '12' has no unit", "12M"),
        ('host.reserve = "12 XB"', 1, "host.reserve", "unknown unit 'XB'", "units:"),
        ("host.reserve = true", 1, "host.reserve", "it is not text", '"512MiB"'),
        ('[host]\nbudget = "0%"', 2, "host.budget", "not between 0 % and 100 %", "25%"),
        ('[host]\nsurplus = "giv"', 2, "host.surplus", "'giv' is not one of its values", '"give" or "keep"'),
        ('[host]\nallow_swap = "yes"', 2, "host.allow_swap", "'yes' is neither true nor false", "quotes"),
        ('[host]\nreserv = "1G"', 2, "host.reserv", "no such key", "did you mean: reserve?"),
        ('[host]\nfloor = "1G"', 2, "host.floor", "no such key here", "[guest.default]"),
        ('budget = "1G"', 1, "budget", "no such key here", "[host]"),
        ('[guest.a]\nmode = "enforce"', 2, "guest.a.mode", "no such key here", "[service]"),
        ("[host]\nxyzzy = 1", 2, "host.xyzzy", "no such key", "keys here: budget, reserve"),
        ("[xyzzy]", 1, "xyzzy", "no such key", "tables: host, service, guest"),
        ("[hosts]", 1, "hosts", "no such key", "did you mean: host?"),
        ('[service]\ninterval = "1ms"', 2, "service.interval", "'1ms' is not within", "50ms to 1m"),
        ('[service]\ninterval = "2m"', 2, "service.interval", "is not within", "50ms to 1m"),
        ("[service]\nsocket = 'x.sock'", 2, "service.socket", "no absolute path", "/"),
        ('[service]\nsocket = "/\\u0000"', 2, "service.socket", "no absolute path", "/"),
        ("[service]\nsocket = 5", 2, "service.socket", "it is not text", "quotes"),
        ("[service]\nweb = '0.0.0.0:9779'", 2, "service.web", "open to other hosts", "ssh -L"),
        ("[service]\nweb = '9779'", 2, "service.web", "no address with a port", "127.0.0.1:9779"),
        ("[service]\nweb = true", 2, "service.web", "it is not text", "quotes"),
        ("[service]\nuri = 'system'", 2, "service.uri", "'system' is not a URI", "qemu:///system"),
        ("[service]\nuri = 5", 2, "service.uri", "names no hypervisor", "qemu:///system"),
        ("[service]\nuri = []", 2, "service.uri", "names no hypervisor", "qemu:///system"),
        (
            "[service]\nuri = ['qemu:///system',\n'system']",
            3,
            "service.uri.1",
            "'system' is not a URI",
            "qemu:///system",
        ),
        ("[service]\nuri = ['xen:///system', 5]", 2, "service.uri.1", "it is not text", "quotes"),
        (
            "[service]\nuri = ['qemu:///system', 'qemu+unix:///system']",
            2,
            "service.uri",
            "'qemu+unix:///system' is the same hypervisor as 'qemu:///system'",
            "once",
        ),
        ("[service]\nuri = 'qemo:///system'", 2, "service.uri", "no hypervisor is called 'qemo'", "qemu"),
        ("[guest.a]\nweight = 0", 2, "guest.a.weight", "0 is not a whole number from 1 to", "100"),
        ("[guest.a]\nweight = 10001", 2, "guest.a.weight", "from 1 to 10000", "100"),
        ("[guest.a]\nweight = 1.5", 2, "guest.a.weight", "1.5 is not a whole number", "100"),
        ("[guest.a]\nfloor = [1]", 2, "guest.a.floor", "it is not text", "quotes"),
        ('[guest."we[b"]', 1, 'guest."we[b"', "has a [ without its ]", "[[]"),
        ('[guest."[]"]', 1, 'guest."[]"', "has a [ without its ]", "[[]"),
        ('[guest.""]', 1, 'guest.""', "can be no guest's name", "web-*"),
        ('[guest." a"]', 1, 'guest." a"', "can be no guest's name", "web-*"),
        ('[guest."\\u001b[2J"]', 1, 'guest."\\u001b[2J"', "can be no guest's name", "web-*"),
        ('[guest]\nfloor = "1GiB"', 2, "guest.floor", "it is not a table", "[guest.default]"),
        ("guest = 1", 1, "guest", "it is not a table", "[guest.default]"),
        ("host = 1", 1, "host", "it is not a table", "[host]"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_key_and_remedy(
    text: str, line: int, key: str, message: str, hint: str
) -> None:
    [issue] = issues(text)

    assert (line, key) == (issue.line, issue.key)
    assert message in issue.message
    assert hint in issue.hint
    assert issue.text.startswith(f"x.toml:{line}: {key}: ")


def test_all_that_is_wrong_is_found_in_the_order_of_the_file() -> None:
    found = issues('[guest.a]\nweight = 0\nfloor = "1"\n[host]\nx = 1\nbudget = 5\n')

    assert [2, 3, 5, 6] == [issue.line for issue in found]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("[host]\nbudget = 1 GiB\n", (2, 12), "this is not TOML: expected newline"),
        ("[host]\n[host]\n", (2, 6), "twice"),
        ('[host]\nbudget = "90%\n', (2, 14), "illegal character"),
        ('[host]\nbudget = """90%\n', (3, None), "unterminated string"),
        ("a = 1\na = 2", (2, None), "overwrite"),
        ("a = " + "9" * 5000, (None, None), "4300"),
        ("a = 1979-13-45", (1, 9), "expected newline"),
    ],
)
def test_what_is_no_toml_is_said_with_line_and_column(
    text: str, place: tuple[int | None, int | None], message: str
) -> None:
    [issue] = issues(text)

    assert place == (issue.line, issue.column)
    assert message in issue.message
    assert " (at " not in issue.message


def test_what_is_nested_too_deep_is_refused() -> None:
    [issue] = issues("a = " + "[" * 20_000)

    assert "too deep" in issue.message


@fuzzed
@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
@example('[host]\nbudget = "' + "9" * 1_000_001 + 'G"')
def test_any_text_is_settings_or_refused(text: str) -> None:
    try:
        layer("x.toml", text)
    except SettingsError as error:
        well_said(error)


@fuzzed
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda node: st.lists(node) | st.dictionaries(st.sampled_from(["budget", "floor", "a"]), node),
    ).filter(lambda node: node is not None)
)
def test_any_value_anywhere_is_explained(value: Any) -> None:
    for key in ("host", "service", "guest"):
        for raw in ({key: value}, {key: {"budget": value, "uri": value, "interval": value, "mode": value}}):
            try:
                checked(raw, "x.toml", {})
            except SettingsError as error:
                assert all(issue.hint for issue in error.issues)  # noqa: PT017


# --- files ------------------------------------------------------------------------------------------


def refused(path: Path) -> Issue:
    with pytest.raises(SettingsError) as error:
        read_layer(path)
    [issue] = error.value.issues
    assert str(path) == issue.file
    assert issue.hint
    return issue


def test_a_file_is_read_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xef\xbb\xbf[host]\r\nreserve = '1M'\r\n")

    assert Origin(str(path), 2) == read_layer(path)["host", "reserve"].origin


def test_no_file(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "a.toml").message


def test_a_directory(tmp_path: Path) -> None:
    assert "Is a directory" in refused(tmp_path).message


def test_a_device_that_never_ends() -> None:
    assert "not a plain file" in refused(Path("/dev/zero")).message


def test_a_pipe_that_nobody_writes_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.toml")

    assert "not a plain file" in refused(tmp_path / "a.toml").message


def test_a_link_to_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.symlink_to(path)

    assert "cannot be read" in refused(path).message


def test_a_file_that_is_far_too_large(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    with path.open("wb") as file:
        file.truncate(100_000_000)

    assert "larger than 1.00 MiB" in refused(path).message


def test_a_file_that_is_just_not_too_large(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("#" * LARGEST_BYTES)

    assert LARGEST_BYTES == len(read_text(path))


def test_what_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"[host]\n# gr\xfc\xdfe\n")

    issue = refused(path)

    assert ("it is not UTF-8", 2) == (issue.message, issue.line)
