"""`top` in a terminal, over a service with real guests: what is done with keys is done to them."""

import pytest
from serving import Service, wait_for_room, wait_until
from subjects import Machine
from terminal import LEFT, drawn

from ballonet.units import MIB

pytestmark = pytest.mark.real


def holds(served: Service) -> dict[str | None, int | None]:
    return {each.name: each.size_bytes for each in served.status().holds}


def test_guests_are_held_and_set_from_the_keyboard(duo: Machine, served: Service) -> None:
    with served.running(), drawn(BALLONET_SOCKET=str(served.socket)) as terminal:
        terminal.until("two")
        wait_for_room(served)
        terminal.press("h")
        terminal.until("Hold one?")
        terminal.press("\r")
        wait_until(lambda: holds(served) == {"one": None}, served.said)
        terminal.until("paused")
        terminal.press("j")
        terminal.press("S")
        terminal.until("Set the size of two?")
        terminal.press("200M\r")
        wait_until(lambda: holds(served) == {"one": None, "two": 200 * MIB}, served.said)
        wait_until(lambda: duo.actual("two") == 200 * MIB, served.said)
        terminal.press("q")
        terminal.until(LEFT)
        assert 0 == terminal.process.wait(60)
