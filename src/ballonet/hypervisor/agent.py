"""What is said to the agent in a guest (qemu-guest-agent), and what its answers mean, whatever the way there.

Its answers come from inside the guest: lengths and numbers are bounded, and what is no sense is unknown.
"""

import asyncio
import base64
import json
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from typing import Final, TypeAlias

from ballonet.errors import HypervisorError, RefusedError
from ballonet.facts.agent import Heard

Ask: TypeAlias = Callable[[str], Awaitable[str]]
"""Hands one request to an agent and returns its answer, both JSON; raises `HypervisorError`, and in time."""

FILES: Final = ("/proc/pressure/memory", "/proc/meminfo")
READ_BYTES: Final = 8192  # the longer of them has 1.5 KB
LONGEST: Final = 65_536  # characters; the longest sensible answer, to guest-info, has 5,000
# No machine has more memory; what says so is no size.
LARGEST_BYTES: Final = 1 << 50
EXEC_TRIES: Final = 5
EXEC_SECONDS: Final = 0.05  # between two; a process that prints two small files needs a few ms

_SOME = re.compile(r"^some avg10=([0-9]{1,3}(?:\.[0-9]{1,4})?) .*total=([0-9]{1,18})$", re.MULTILINE)
_FIELD = re.compile(r"^(SwapTotal|SwapFree|Committed_AS): +([0-9]{1,15}) kB$", re.MULTILINE)
_HINT: Final = "see what it says, in the guest: journalctl -u qemu-guest-agent"


class Way(StrEnum):
    """How files of the guest are read, by what its agent allows."""

    FILE = "guest-file-read"
    EXEC = "guest-exec"


_NEEDS: Final = {
    Way.FILE: frozenset({"guest-file-open", "guest-file-read", "guest-file-close"}),
    Way.EXEC: frozenset({"guest-exec", "guest-exec-status"}),
}


async def probe(ask: Ask) -> Way:
    """Return how an agent lets files be read; RefusedError where it allows neither way."""
    allowed = commands(answer(await ask(_request("guest-info"))))
    for way, needs in _NEEDS.items():
        if needs <= allowed:
            return way
    raise RefusedError(
        "its agent lets nobody read files",
        hint="in the guest, allow guest-file-open, guest-file-read and guest-file-close: "
        "/etc/sysconfig/qemu-ga, or qemu-ga --allow-rpcs",
    )


async def listen(ask: Ask, way: Way) -> Heard:
    """Return what an agent tells now; raises `HypervisorError` where it tells nothing."""
    at = time.time()
    if way is Way.EXEC:
        text = await _printed(ask)
    else:
        # A kernel without PSI has no such file, or none that can be read: the rest is worth having.
        text = "".join([await _content(ask, path) for path in FILES])
    heard = told(text, at)
    if heard == Heard(at):
        raise HypervisorError("its agent told nothing of its memory", hint=_HINT)
    return heard


async def _content(ask: Ask, path: str) -> str:
    """Return a file of the guest; nothing for one that cannot be read."""
    try:
        handle = answer(await ask(_request("guest-file-open", path=path)))
    except RefusedError:
        return ""
    if not isinstance(handle, int) or isinstance(handle, bool):
        raise nonsense()
    try:
        return decoded(
            answer(await ask(_request("guest-file-read", handle=handle, count=READ_BYTES))), "buf-b64"
        )
    except RefusedError:
        return ""
    finally:
        with suppress(RefusedError):
            answer(await ask(_request("guest-file-close", handle=handle)))


async def _printed(ask: Ask) -> str:
    """Return what a process in the guest prints of the files."""
    words = {"path": "/bin/cat", "arg": FILES, "capture-output": True}
    begun = answer(await ask(_request("guest-exec", **words)))
    pid = begun.get("pid") if isinstance(begun, dict) else None
    if not isinstance(pid, int) or isinstance(pid, bool):
        raise nonsense()
    for _ in range(EXEC_TRIES):
        await asyncio.sleep(EXEC_SECONDS)
        status = answer(await ask(_request("guest-exec-status", pid=pid)))
        if isinstance(status, dict) and status.get("exited") is True:
            return decoded(status, "out-data")
    raise HypervisorError("what its agent started did not end", hint=_HINT)


def _request(command: str, **arguments: object) -> str:
    return json.dumps({"execute": command, **({"arguments": arguments} if arguments else {})})


# --- what answers mean ------------------------------------------------------------------------------


def answer(text: str) -> object:
    """Return what an answer returns; RefusedError for an agent's own error, HypervisorError for no answer."""
    if len(text) > LONGEST:
        raise nonsense()
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise nonsense() from error
    if isinstance(said, dict) and "return" in said:
        return said["return"]
    if isinstance(said, dict) and isinstance(refusal := said.get("error"), dict):
        why = " ".join(str(refusal.get("desc", ""))[:200].split())
        raise RefusedError(f"its agent refuses: {why or 'it does not say why'}", hint=_HINT)
    raise nonsense()


def commands(info: object) -> frozenset[str]:
    """Return the commands that an agent says it allows."""
    listed = info.get("supported_commands") if isinstance(info, dict) else None
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    return frozenset(str(row.get("name")) for row in rows if row.get("enabled") is True)


def decoded(said: object, key: str) -> str:
    """Return the text that an answer has in base64; nothing where it has none."""
    text = said.get(key, "") if isinstance(said, dict) else None
    if not isinstance(text, str):
        raise nonsense()
    try:
        return base64.b64decode(text, validate=True)[: 2 * READ_BYTES].decode("ascii", "replace")
    except ValueError as error:
        raise nonsense() from error


def told(text: str, at: float) -> Heard:
    """Return what the guest's files say, those of FILES one after the other."""
    some = _SOME.search(text)
    sizes = {name: int(number) * 1024 for name, number in _FIELD.findall(text)}
    sizes = {name: size for name, size in sizes.items() if size <= LARGEST_BYTES}
    total, free = sizes.get("SwapTotal"), sizes.get("SwapFree")
    if total is None or free is None or free > total:
        total = free = None
    return Heard(
        at,
        recent_ratio=min(1.0, float(some[1]) / 100.0) if some else None,
        waited_seconds_total=int(some[2]) / 1e6 if some else None,
        swap_total_bytes=total,
        swap_free_bytes=free,
        committed_bytes=sizes.get("Committed_AS"),
    )


def since(heard: Heard, before: Heard | None, longest_seconds: float) -> Heard:
    """Return what was told with the share of the time since before in which something waited.

    That is unknown where it was asked too long ago, or where its counter fell: the guest began anew.
    """
    if before is None or before.waited_seconds_total is None or heard.waited_seconds_total is None:
        return heard
    seconds, waited = heard.at - before.at, heard.waited_seconds_total - before.waited_seconds_total
    if not 0.0 < seconds <= longest_seconds or waited < 0.0:
        return heard
    return replace(heard, since=before.at, pressure_ratio=min(1.0, waited / seconds))


def nonsense() -> HypervisorError:
    """Return that what an agent sends is no answer."""
    return HypervisorError("its agent answers nonsense", hint=_HINT)
