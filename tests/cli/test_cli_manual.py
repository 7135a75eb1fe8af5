"""The manual pages say what the program says: every command, option and setting, in its words."""

import re
import subprocess

import pytest
from running import Run

from ballonet import __version__
from ballonet.cli.group import COMMANDS
from ballonet.cli.manual import page
from ballonet.config.model import TABLES

DATE = "2026-01-02"
COMMANDS_PAGE, SETTINGS_PAGE = page("ballonet", DATE), page("ballonet.toml", DATE)


@pytest.mark.parametrize("text", [COMMANDS_PAGE, SETTINGS_PAGE], ids=["ballonet", "ballonet.toml"])
def test_man_takes_it_and_finds_it(text: str) -> None:
    made = subprocess.run(
        ["lowdown", "-s", "-Tman", "--out-no-smarty", "--parse-no-intraemph"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    shown = subprocess.run(
        ["man", "--warnings", "-l", "-"], input=made.stdout, capture_output=True, text=True, check=False
    )
    assert (0, "") == (shown.returncode, shown.stderr)
    assert f"ballonet {__version__}" in shown.stdout
    assert DATE in shown.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_that_help_says_is_there_with_its_words(ballonet: Run, name: str) -> None:
    helped = ballonet(name, "--help").stdout
    commands = re.findall(r"^  (\w[\w-]*)  ", helped.partition("Commands:")[2], flags=re.MULTILINE)
    for words in [[name, command] for command in commands] or [[name]]:
        parts = COMMANDS_PAGE.split(f"\n## ballonet {' '.join(words)}\n")
        assert 2 == len(parts), words
        described = parts[1].partition("\n## ")[0].partition("\n# ")[0]
        _, _, helped = ballonet(*words, "--help").stdout.partition("\nOptions:\n")
        options = re.findall(r"^  (-.*?)(?:  |$)", helped, flags=re.MULTILINE)
        assert [*re.findall(r"^`(-.*)`$", described, flags=re.MULTILINE), "--help"] == options


def test_options_for_all_commands_are_described_once() -> None:
    assert 1 == COMMANDS_PAGE.count("`-c, --connect URI`")
    assert "env var: LIBVIRT\\_DEFAULT\\_URI" in COMMANDS_PAGE


@pytest.mark.parametrize("table", TABLES)
def test_every_setting_is_described(table: str) -> None:
    _, _, described = SETTINGS_PAGE.partition(f"\n# [{table}]\n")
    keys = re.findall(r"^`(\w+)` = `", described.partition("\n# ")[0], flags=re.MULTILINE)
    assert list(TABLES[table].model_fields) == keys
