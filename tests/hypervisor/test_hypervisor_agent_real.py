"""qemu-guest-agent itself, on a socket of this host: what is said to it is what it understands."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ballonet.errors import RefusedError
from ballonet.hypervisor.agent import Way, listen, probe, since
from ballonet.lab.image import agent_program
from ballonet.units import KIB

pytestmark = pytest.mark.real

TELLS_PRESSURE = Path("/proc/pressure/memory").exists()


def swap_total_bytes() -> int:
    """Return the size of this host's swap."""
    rows = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    return next(KIB * int(words[1]) for words in rows if words[0] == "SwapTotal:")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return agent_program(tmp_path_factory.mktemp("agent"))


@asynccontextmanager
async def answering(program: Path, blocks: str = "") -> AsyncIterator[Callable[[str], Awaitable[str]]]:
    """Yield a way to an agent that refuses these commands."""
    # Not tmp_path, which is too long for the names of sockets.
    with tempfile.TemporaryDirectory(prefix="ga-") as place:
        path = f"{place}/socket"
        words = ["-m", "unix-listen", "-p", path, "-t", place, "-f", f"{place}/pid"]
        words += ["-b", blocks] if blocks else []
        process = await asyncio.create_subprocess_exec(program, *words)
        try:
            reader, writer = await _connected(path)

            async def ask(request: str) -> str:
                writer.write(f"{request}\n".encode())
                await writer.drain()
                return (await reader.readline()).decode()

            yield ask
            writer.close()
        finally:
            process.terminate()
            await process.wait()


async def _connected(path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with asyncio.timeout(60):
        while True:
            try:
                return await asyncio.open_unix_connection(path)
            except OSError:
                await asyncio.sleep(0.05)


@pytest.mark.parametrize(("blocks", "way"), [("", Way.FILE), ("guest-file-open", Way.EXEC)])
async def test_it_tells_what_this_hosts_kernel_says(program: Path, blocks: str, way: Way) -> None:
    async with answering(program, blocks) as ask:
        assert way is await probe(ask)
        first = await listen(ask, way)
        second = since(await listen(ask, way), first, 10.0)

    assert swap_total_bytes() == first.swap_total_bytes
    assert first.committed_bytes
    if TELLS_PRESSURE:
        assert second.pressure_ratio is not None
        assert 0.0 <= second.pressure_ratio <= 1.0


async def test_one_that_allows_neither_way_says_so(program: Path) -> None:
    async with answering(program, "guest-file-read,guest-exec") as ask:
        with pytest.raises(RefusedError, match="lets nobody read files"):
            await probe(ask)
