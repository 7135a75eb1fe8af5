"""A Prometheus of the tests' own, as Debian has it, that scrapes one service and answers queries."""

import json
import random
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

RULES = Path(__file__).parents[2] / "packaging" / "prometheus" / "ballonet.rules.yaml"
CONFIG = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: ballonet
    static_configs: [{{targets: ["{target}"]}}]
"""
WAIT_SECONDS = 60.0


class Prometheus:
    """Answers queries; what it has not scraped yet is waited for."""

    def __init__(self, address: str) -> None:
        self._address = address

    def get(self, path: str, **query: str) -> Any:
        with urlopen(f"http://{self._address}{path}?{urlencode(query)}", timeout=60) as answer:
            return json.load(answer)["data"]

    def values(self, query: str) -> dict[str, float]:
        """Return the value of each series by its guest's name, or "" where it has none."""
        found = self.get("/api/v1/query", query=query)["result"]
        return {each["metric"].get("domain", ""): float(each["value"][1]) for each in found}

    def awaited(self, query: str) -> dict[str, float]:
        """Return the same as soon as there is anything."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not (found := self.values(query)):
            assert time.monotonic() < deadline, f"nothing for {query}"
            time.sleep(0.2)
        return found


@contextmanager
def scraping(target: str, place: Path) -> Iterator[Prometheus]:
    """Run one that scrapes this address each second, until the block ends."""
    address = f"127.0.0.1:{_free_port()}"
    (place / "prometheus.yml").write_text(CONFIG.format(rules=RULES, target=target))
    words = [
        "prometheus",
        f"--config.file={place / 'prometheus.yml'}",
        f"--storage.tsdb.path={place / 'tsdb'}",
        f"--web.listen-address={address}",
        "--log.level=warn",
    ]
    with (place / "said").open("wb") as said, subprocess.Popen(words, stdout=said, stderr=said) as process:
        try:
            found = Prometheus(address)
            _wait(found, process, place / "said")
            yield found
        finally:
            process.terminate()


def _free_port() -> int:
    """Return a port of those that the kernel gives to nobody who asks for any: nobody takes it meanwhile."""
    for port in random.Random().sample(range(20000, 30000), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError


def _wait(prometheus: Prometheus, process: "subprocess.Popen[bytes]", said: Path) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        assert process.poll() is None, said.read_text()
        try:
            prometheus.get("/api/v1/status/buildinfo")
        except URLError:
            assert time.monotonic() < deadline, said.read_text()
            time.sleep(0.1)
        else:
            return
