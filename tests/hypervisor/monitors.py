"""QEMU's monitor, as far as ballonet talks to it: one client at a time, answers by table, events at will."""

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from one_client import OneClient

from ballonet.units import MIB

GREETING = {
    "QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}, "package": ""}, "capabilities": []}
}
UNSET = 2**64 - 1
BALLOON = "/machine/peripheral/balloon0"


class FakeMonitor(OneClient):
    """A guest of so much memory behind a socket; what it answers may be changed at any time."""

    def __init__(self, path: Path, name: str = "web", uuid: str = "", maximum_bytes: int = 256 * MIB) -> None:
        super().__init__(path)
        self.said: list[tuple[str, Any]] = []  # what it was told: commands and their arguments
        self.hangs = False
        self.tells = True  # that the balloon moved
        self.told_at: int | None = None  # when the guest sent its statistics; None: now
        self.greeting = json.dumps(GREETING).encode() + b"\r\n"
        self.stats: dict[str, Any] = {
            "stat-free-memory": 100 * MIB,
            "stat-available-memory": 120 * MIB,
            "stat-total-memory": 220 * MIB,
            "stat-htlb-pgalloc": UNSET,
        }
        self.properties: dict[tuple[str, str], Any] = {
            (BALLOON, "deflate-on-oom"): True,
            (BALLOON, "free-page-reporting"): False,
            (BALLOON, "guest-stats-polling-interval"): 2,
        }
        self.answers: dict[str, Any] = {
            "query-name": {"name": name} if name else {},
            "query-uuid": {"UUID": uuid or "00000000-0000-0000-0000-000000000000"},
            "query-status": {"status": "running", "running": True},
            "query-memory-size-summary": {"base-memory": maximum_bytes, "plugged-memory": 0},
            "query-memory-devices": [],
            "query-balloon": {"actual": maximum_bytes},
            "query-cpus-fast": [{"thread-id": 1}],
            "query-migrate": {},
            "query-blockstats": [{"stats": {"rd_operations": 7, "rd_total_time_ns": 3_000_000}}],
        }
        self.children: dict[str, list[dict[str, str]]] = {
            "/machine/peripheral": [{"name": "balloon0", "type": "child<virtio-balloon-pci>"}],
            "/machine/peripheral-anon": [],
        }

    def give_port(self, address: object) -> None:
        """Give the guest a port for an agent, which is open, with a socket of this address at our end."""
        self.children["/machine/peripheral"] += [{"name": "agent0", "type": "child<virtserialport>"}]
        self.properties |= {
            ("/machine/peripheral/agent0", "name"): "org.qemu.guest_agent.0",
            ("/machine/peripheral/agent0", "chardev"): "agent",
            ("/chardevs/agent", "addr"): address,
        }
        self.answers["query-chardev"] = [
            {"label": "agent", "frontend-open": True, "filename": "unix:/run/web.agent,server=on"}
        ]

    def drop(self) -> None:
        """Hang up on who is connected."""
        if self._writer is not None:
            self._writer.close()

    def tell(self, event: str, data: Mapping[str, Any] | None = None) -> None:
        """Send an event to who is connected."""
        message = {"event": event, "data": data or {}, "timestamp": {"seconds": 0, "microseconds": 0}}
        assert self._writer is not None
        self._writer.write(json.dumps(message).encode() + b"\r\n")

    def commands(self) -> list[str]:
        return [command for command, _ in self.said]

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.greeting)
        text, decoder = "", json.JSONDecoder()
        while data := await reader.read(1 << 16):
            text += data.decode()
            while text:  # a client need not end its messages in any way
                message, end = decoder.raw_decode(text)
                text = text[end:]
                if not self.hangs or message["execute"] == "qmp_capabilities":
                    answer = self._answer(message["execute"], message.get("arguments", {}))
                    whole = json.dumps(answer | {"id": message.get("id")}).encode() + b"\r\n"
                    writer.write(whole if self.raw is None or "id" not in message else self.raw)

    def _answer(self, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
        self.said.append((command, arguments))
        place = arguments.get("path", ""), arguments.get("property", "")
        if command == "qmp_capabilities":
            return {"return": {}}
        if command == "qom-list" and place[0] in self.children:
            return {"return": self.children[place[0]]}
        if place == (BALLOON, "guest-stats") and command == "qom-get":
            return {"return": {"stats": self.stats, "last-update": self.told_at or int(time.time())}}
        if command == "qom-get" and place in self.properties:
            return {"return": self.properties[place]}
        if command == "qom-set" and place in self.properties:
            self.properties[place] = arguments["value"]
            return {"return": {}}
        if command == "balloon":
            self.answers["query-balloon"] = {"actual": arguments["value"]}
            if self.tells:
                self.tell("BALLOON_CHANGE", self.answers["query-balloon"])
            return {"return": {}}
        if command in self.answers:
            return {"return": self.answers[command]}
        return {"error": {"class": "CommandNotFound", "desc": f"The command {command} has not been found"}}
