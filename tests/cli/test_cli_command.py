"""The command itself: help, common options, usage errors, and never a traceback."""

import json
import os
import subprocess
import sys

import pytest
from running import Run, two_lines

from ballonet.cli.group import COMMANDS, moved_to_front
from ballonet.errors import UsageError


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_names_every_command(ballonet: Run, arguments: list[str]) -> None:
    result = ballonet(*arguments)
    assert 0 == result.returncode
    assert all(f"  {name} " in result.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_in_the_table_can_be_loaded(ballonet: Run, name: str) -> None:
    result = ballonet(name, "--help")
    assert 0 == result.returncode, result.stderr
    assert result.stdout.startswith(f"Usage: ballonet {name}")


def test_version(ballonet: Run) -> None:
    assert ballonet("--version").stdout.startswith("ballonet 0.")


@pytest.mark.parametrize(
    ("arguments", "front"),
    [
        (["guests", "-o", "json"], ["-o", "json", "guests"]),
        (["guests", "--output=json", "-v"], ["--output=json", "-v", "guests"]),
        (["show", "web", "-ojson"], ["-ojson", "show", "web"]),
        (["set", "web", "1G", "--config"], ["set", "web", "1G", "--config"]),
        (["-c", "test:///default", "guests"], ["-c", "test:///default", "guests"]),
        (["show", "--", "-v"], ["show", "--", "-v"]),
        (["run", "--config", "x.toml"], ["--config", "x.toml", "run"]),
        (["config", "show", "--config=x.toml"], ["--config=x.toml", "config", "show"]),
        (["--config", "x.toml", "set", "web", "1G"], ["--config", "x.toml", "set", "web", "1G"]),
        (["period", "--config", "web", "1s"], ["period", "--config", "web", "1s"]),
    ],
)
def test_common_options_may_stand_anywhere(arguments: list[str], front: list[str]) -> None:
    assert front == moved_to_front(arguments)


def test_a_common_option_without_its_value_is_refused_but_not_while_completing() -> None:
    with pytest.raises(UsageError):
        moved_to_front(["guests", "-o"])
    assert ["guests"] == moved_to_front(["guests", "-o"], strict=False)


@pytest.mark.parametrize(
    ("arguments", "wrong", "hint"),
    [
        (["gests"], "no command 'gests'", "ballonet guests?"),
        (["xyzzy"], "no command 'xyzzy'", "ballonet --help"),
        (["names", "--nope"], "no such option: --nope", "ballonet names --help"),
        (["names", "a", "b"], "unexpected extra argument", "ballonet names --help"),
        (["set", "web"], "missing argument 'SIZE'", "ballonet set --help"),
        (["guests", "-o"], "option -o needs a value", "ballonet --help"),
        (["guests", "-o", "xml"], "no output 'xml'", "table, json"),
        (["names", "xyzzy"], "no statistic is called 'xyzzy'", "ballonet names"),
    ],
)
def test_usage_errors(ballonet: Run, arguments: list[str], wrong: str, hint: str) -> None:
    result = ballonet(*arguments)
    assert 2 == result.returncode
    said, advice = two_lines(result)
    assert wrong in said
    assert hint in advice


def test_names_as_a_table_and_as_json(ballonet: Run) -> None:
    table = ballonet("names").stdout
    assert "VIRTIO_BALLOON_S_" in table
    assert 19 == sum(
        "stat-" in line or "actual" in line or "rss" in line or "last-update" in line
        for line in table.splitlines()
    )
    document = json.loads(ballonet("names", "-o", "json").stdout)
    assert "ballonet/v1" == document["schema"]
    assert 19 == len(document["statistics"])


def test_a_name_with_two_meanings_shows_both(ballonet: Run) -> None:
    text = ballonet("names", "available").stdout
    assert "/proc/meminfo:MemAvailable" in text
    assert "/proc/meminfo:MemTotal" in text


@pytest.mark.parametrize("arguments", [["--help"], ["names"], ["config", "--help"]])
def test_what_needs_no_hypervisor_loads_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys; from ballonet.cli import run_line\n"
        f"code = run_line({arguments})\n"
        "heavy = {'numpy', 'rich', 'libvirt', 'asyncio', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else code)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (0, "") == (result.returncode, result.stderr)


def test_a_closed_pipe_is_no_failure_to_talk_about() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    result = subprocess.run(
        [sys.executable, "-m", "ballonet", "names"], stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert b"" == result.stderr


def test_what_nobody_foresaw_is_two_lines_and_a_traceback_only_on_demand() -> None:
    program = (
        "import sys; import ballonet.cli as cli\n"
        "cli.run_line = lambda arguments: {}['lost']\n"
        "sys.argv[1:] = {arguments}\n"
        "cli.main()"
    )
    for arguments, traced in (([], False), (["-v"], True)):
        result = subprocess.run(
            [sys.executable, "-c", program.replace("{arguments}", str(arguments))],
            capture_output=True,
            text=True,
            check=False,
        )
        assert 1 == result.returncode
        assert traced is ("Traceback" in result.stderr)
        assert "KeyError" in result.stderr


def complete(ballonet: Run, words: str) -> list[str]:
    """Return what bash offers after these words."""
    result = ballonet(
        env={
            "_BALLONET_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
        }
    )
    assert not result.stderr
    return result.stdout.split()


def test_a_shell_completes_commands_and_options(ballonet: Run) -> None:
    assert ["set", "set-max"] == complete(ballonet, "ballonet set")
    assert ["json"] == complete(ballonet, "ballonet -o j")
    assert ["--live"] == complete(ballonet, "ballonet set --li")


def test_a_shell_completes_names_of_guests(ballonet: Run, host: str) -> None:
    assert ["web"] == complete(ballonet, f"ballonet -c {host} show w")
    assert {"bare", "locked", "off", "web"} == set(complete(ballonet, f"ballonet show -c {host} "))


def test_a_shell_completes_nothing_silently_without_a_hypervisor(ballonet: Run) -> None:
    assert [] == complete(ballonet, "ballonet show w")
