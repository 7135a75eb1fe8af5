"""An agent in memory: it answers as qemu-guest-agent does, or as no agent should."""

import asyncio
import base64
import json
from collections.abc import Iterable
from typing import Any

FILE_COMMANDS = ("guest-file-open", "guest-file-read", "guest-file-close")
EXEC_COMMANDS = ("guest-exec", "guest-exec-status")
PSI = """\
some avg10=1.25 avg60=0.40 avg300=0.00 total=2500000
full avg10=0.25 avg60=0.10 avg300=0.00 total=500000
"""
MEMINFO = """\
MemTotal:         476324 kB
SwapTotal:        524284 kB
SwapFree:         420000 kB
Committed_AS:     310000 kB
"""


class Agent:
    """Answers one request after the other; what it was asked stands in `asked`."""

    def __init__(
        self, files: dict[str, str] | None = None, allows: Iterable[str] = (*FILE_COMMANDS, *EXEC_COMMANDS)
    ) -> None:
        usual = {"/proc/pressure/memory": PSI, "/proc/meminfo": MEMINFO}
        self.files = usual if files is None else files
        self.allows = set(allows)
        self.asked: list[str] = []
        self.open: dict[int, str] = {}  # paths by handle
        self.instead: dict[str, str] = {}  # what is answered to a command, whatever is right
        self.hangs: set[str] = set()
        self.waits_for: dict[str, asyncio.Event] = {}  # before a command is answered
        self._handles = 1000
        self._running = 2  # how often a process is asked for before it has ended

    async def ask(self, words: str) -> str:
        """Return the answer to a request."""
        request = json.loads(words)
        command, arguments = request["execute"], request.get("arguments", {})
        self.asked.append(command)
        if command in self.hangs:
            await asyncio.Event().wait()
        if command in self.waits_for:
            await self.waits_for[command].wait()
        if command in self.instead:
            return self.instead[command]
        try:
            return json.dumps({"return": self._answer(command, arguments)})
        except KeyError as error:
            return json.dumps({"error": {"class": "GenericError", "desc": f"failed: {error}"}})

    def _answer(self, command: str, arguments: dict[str, Any]) -> object:
        if command == "guest-info":
            known = (*FILE_COMMANDS, *EXEC_COMMANDS, "guest-info")
            listed = [{"name": name, "enabled": name in {*self.allows, "guest-info"}} for name in known]
            return {"version": "7.2.0", "supported_commands": listed}
        if command not in self.allows:
            raise KeyError(command)
        if command == "guest-file-open":
            _ = self.files[arguments["path"]]
            self._handles += 1
            self.open[self._handles] = arguments["path"]
            return self._handles
        if command == "guest-file-read":
            return {"count": 1, "buf-b64": _encoded(self.files[self.open[arguments["handle"]]]), "eof": True}
        if command == "guest-file-close":
            del self.open[arguments["handle"]]
            return {}
        if command == "guest-exec":
            self._printed = "".join(self.files.get(path, "") for path in arguments["arg"])
            return {"pid": 42}
        self._running -= 1
        return {"exited": False} if self._running else {"exited": True, "out-data": _encoded(self._printed)}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
