"""What shells read to complete; what they are answered then is in test_cli_command.py."""

import subprocess

import pytest
from running import Run, two_lines

from ballonet.cli.completion import SHELLS


@pytest.mark.parametrize("shell", SHELLS)
def test_it_is_printed_for_each_shell_and_read_by_it_without_a_word(ballonet: Run, shell: str) -> None:
    printed = ballonet("completion", shell)

    assert (0, "") == (printed.returncode, printed.stderr)
    assert f"_BALLONET_COMPLETE=complete_{shell}" in printed.stdout
    read = subprocess.run([shell, "-n"], input=printed.stdout, capture_output=True, text=True, check=False)
    assert (0, "", "") == (read.returncode, read.stdout, read.stderr)


def test_another_shell_is_told_which_there_are(ballonet: Run) -> None:
    refused = ballonet("completion", "tcsh")

    assert 2 == refused.returncode
    assert ("there is no completion for 'tcsh'", "shells: bash, zsh, fish") == two_lines(refused)
