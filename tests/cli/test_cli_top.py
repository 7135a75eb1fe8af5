"""`top`: what it says where it cannot watch, and that it draws on a terminal and leaves it as it was."""

import os
import signal
from pathlib import Path

import pytest
from hosted import Hosted
from running import Run, two_lines
from terminal import LEFT, drawn

from ballonet.units import GIB

TRACE = (
    "# ballonet trace 1\n"
    "time,uuid,name,maximum_bytes,actual_bytes,usable_bytes,unused_bytes,statistics_at\n"
    + "".join(f"{at},u-1,web,{GIB},{GIB},600000000,600000000,{at}\n" for at in range(1000, 1030, 2))
)


@pytest.mark.parametrize(
    ("words", "code", "wrong", "hint"),
    [
        ("top", 3, "no service answers on /nonexistent/socket", "systemctl start ballonet"),
        ("top -c qemu:///system", 3, "no service answers on /nonexistent/socket", "systemctl start"),
        ("top -c sim:trade-place", 2, "no scenario is called 'trade-place'", "trade-places"),
        ("top -c sim:", 2, "no scenario is called ''", "idle"),
        ("top -c sim:idle -c sim:step", 2, "a simulated host is watched by itself", "one -c"),
        ("top -c sim:idle --replay run.csv", 2, "sim:idle is no recording", "--replay"),
        ("top --replay /nonexistent/run.csv", 2, "No such file", "run --record FILE"),
        ("top --replay /etc/hostname", 2, "is no trace", "run --record FILE"),
        ("top -c sim:idle -o json", 2, "it has no JSON", "ballonet status -o json"),
        ("top -c sim:idle", 2, "top needs a terminal", "ballonet status"),
        ("guests -c sim:idle", 2, "'sim:idle' is a simulated host, which only top shows", "ballonet top -c"),
    ],
)
def test_what_is_wrong_is_said_in_two_lines(
    ballonet: Run, words: str, code: int, wrong: str, hint: str
) -> None:
    result = ballonet(*words.split(), env={"BALLONET_SOCKET": "/nonexistent/socket"})
    said, advice = two_lines(result)
    assert code == result.returncode
    assert wrong in said
    assert hint in advice


def test_without_textual_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "textual.py").write_text("raise ModuleNotFoundError(name='textual')")
    with drawn("-c", "sim:idle", PYTHONPATH=f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}") as terminal:
        text = terminal.until("pip install")
        assert "ballonet: top needs textual, which is not installed" in text
        assert 1 == terminal.process.wait(60)


def test_a_simulated_host_is_drawn_and_left(tmp_path: Path) -> None:
    with drawn("-c", "sim:one-bursts") as terminal:
        text = terminal.until("batch")
        assert "sim:one-bursts" in text
        terminal.press("q")
        terminal.until(LEFT)
        assert 0 == terminal.process.wait(60)


def test_a_recording_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    path.write_text(TRACE)
    with drawn("--replay", str(path)) as terminal:
        assert "recorded" in terminal.until("WHAT IT WILL DO NEXT")


def test_a_service_is_drawn_and_a_signal_leaves_the_terminal_as_it_was(service: Hosted) -> None:
    with drawn(BALLONET_SOCKET=str(service.path)) as terminal:
        terminal.until("spare")
        terminal.process.send_signal(signal.SIGTERM)
        terminal.until(LEFT)
        assert 0 == terminal.process.wait(60)
