"""Other programs on this host that resize guests: two that do not know of each other fight."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ballonet.facts.host import OtherWriter

_COMMAND_LINE_BYTES = 4096  # the program is in the first words


@dataclass(frozen=True, slots=True)
class _Product:
    """How a product that resizes guests is known."""

    name: str
    commands: tuple[str, ...]
    directory: str


_PRODUCTS = (
    _Product("oVirt MOM", commands=("momd", "vdsmd"), directory="etc/vdsm"),
    _Product("Proxmox VE", commands=("pvestatd",), directory="etc/pve"),
)


def other_writers(root: Path = Path("/")) -> list[OtherWriter]:
    """Return the products found on the host: running by their processes, or installed by their directory."""
    commands = set(_commands(root / "proc"))
    found = []
    for product in _PRODUCTS:
        running = [command for command in product.commands if command in commands]
        if running:
            found.append(OtherWriter(product.name, running=True, evidence=f"process {running[0]}"))
        elif (root / product.directory).is_dir():
            found.append(OtherWriter(product.name, running=False, evidence=f"directory /{product.directory}"))
    return found


def _commands(proc: Path) -> Iterator[str]:
    """Yield the names that all processes go by: their own, and the program or script that they run."""
    try:
        names = [name for name in os.listdir(proc) if name.isdigit()]  # noqa: PTH208 - names only
    except OSError:
        return
    for name in names:
        try:
            with (proc / name / "comm").open("rb") as file:
                yield file.read(64).decode("utf-8", "replace").strip()
            with (proc / name / "cmdline").open("rb") as file:
                words = file.read(_COMMAND_LINE_BYTES).split(b"\0")[:2]
        except OSError:
            continue  # it ended
        for word in words:
            yield word.decode("utf-8", "replace").rpartition("/")[2]
