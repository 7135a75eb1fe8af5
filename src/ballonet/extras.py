"""What parts of ballonet need besides what all of it does, and how to get that where it is missing."""

import shlex
import sys
from pathlib import Path
from typing import Final

# The libraries of each extra that pyproject.toml names, as they are called where they are installed from.
LIBRARIES: Final = {
    "libvirt": ("libvirt-python",),
    "plot": ("matplotlib",),
    "qmp": ("qemu.qmp",),
    "service": ("jinja2", "prometheus-client", "starlette", "uvicorn"),
    "top": ("textual",),
    "trace": ("pyarrow",),
}
DEBIAN_PREFIX: Final = "/usr/lib/ballonet"  # the environment that the Debian package installs
DOCUMENT: Final = "/usr/share/doc/ballonet/installation.md.gz"


def remedy(extra: str) -> str:
    """Return what helps where a library of this extra is missing, by how this ballonet was installed."""
    libraries = " ".join(LIBRARIES[extra])
    if sys.prefix == DEBIAN_PREFIX:
        return f"the Debian package has no {libraries}: install ballonet by pipx besides, see {DOCUMENT}"
    if Path(sys.prefix, "pipx_metadata.json").exists():
        return f"pipx inject ballonet {libraries}"
    return f"{shlex.quote(sys.executable)} -m pip install {libraries}"
