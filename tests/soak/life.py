"""A service that is killed and started again, and the commands that people give it meanwhile."""

import os
import re
import socket
import subprocess
import time
from collections import Counter
from contextlib import ExitStack

from serving import COMMAND, Service


class Life:
    """One service after another on the same state; what people ask of it runs beside."""

    def __init__(self, service: Service) -> None:
        self.lives = 0
        self.answers: Counter[int] = Counter()  # exit codes of what people asked
        self.said: list[str] = []  # what no command may say
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self._service = service
        self._stack = ExitStack()
        self._asked: list[tuple[subprocess.Popen[str], str]] = []

    @property
    def runs(self) -> bool:
        return self.process is not None

    def start(self) -> None:
        """Return when it answers."""
        if self.process is None:
            self.process = self._stack.enter_context(self._service.running())
            self.lives, self.started_at = self.lives + 1, time.monotonic()

    def kill(self) -> None:
        """End it as a crash would."""
        self.process = None
        self._stack.close()

    def ticks(self) -> int:
        """Return how many ticks this life has had."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10.0)
            connection.connect(str(self._service.socket))
            connection.sendall(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n")
            text = b"".join(iter(lambda: connection.recv(1 << 16), b"")).decode()
        found = re.search(r"^ballonet_tick_duration_seconds_count.* (\d+)", text, re.MULTILINE)
        assert found, text
        return int(found[1])

    def ask(self, *words: str) -> None:
        """Have a command run, and wait for nothing."""
        environment = {**os.environ, "BALLONET_SOCKET": str(self._service.socket)}
        process = subprocess.Popen(
            [*COMMAND, *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._asked.append((process, " ".join(words)))

    def collect(self, *, wait: bool = False) -> None:
        """Take in what became of commands."""
        for each in [each for each in self._asked if wait or each[0].poll() is not None]:
            self._asked.remove(each)
            process, words = each
            out, _ = process.communicate(timeout=90)
            self.answers[process.returncode] += 1
            if "Traceback" in out or process.returncode not in {0, 1, 3, 5, 6}:
                self.said.append(f"ballonet {words}: exit {process.returncode}: {out}")
