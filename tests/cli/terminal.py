"""`top` on a terminal of 80 columns and 24 lines."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

LEFT = "\x1b[?1049l"  # what is written last: the terminal's own screen is back


class Terminal:
    """What a test holds of it; what it shows is read as it comes, with all that moves the cursor."""

    def __init__(self, process: "subprocess.Popen[bytes]", master: int) -> None:
        self.process, self._master = process, master
        self._seen = b""

    def until(self, words: str, seconds: float = 60.0) -> str:
        """Read what is drawn until these words are there."""
        deadline = time.monotonic() + seconds
        while words.encode() not in self._seen:
            assert time.monotonic() < deadline, self._seen.decode(errors="replace")
            if select.select([self._master], [], [], 0.2)[0]:
                with suppress(OSError):  # it has ended
                    self._seen += os.read(self._master, 65536)
        return self._seen.decode(errors="replace")

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())


@contextmanager
def drawn(*words: str, **environment: str) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    os.set_blocking(master, True)
    process = subprocess.Popen(
        [sys.executable, "-m", "ballonet", "top", *words],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24", **environment},
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)
