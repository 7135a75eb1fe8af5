"""Where the service may listen on TCP: an address that only this host reaches."""

import ipaddress
import re
from typing import Final, NamedTuple

from ballonet.errors import UsageError

_WRITTEN = re.compile(r"(?:\[([0-9A-Fa-f:]+)\]|([^\s:\[\]]+)):([0-9]{1,5})")
_LOOPBACK: Final = ipaddress.ip_network("127.0.0.0/8")
_HINT: Final = "write 127.0.0.1:9779, [::1]:9779 or localhost:9779"
_ELSEWHERE: Final = (
    "only this host may reach it: from elsewhere use `ssh -L 9779:127.0.0.1:9779 HOST`, or put a reverse "
    "proxy that knows its users before 127.0.0.1:9779"
)


class Address(NamedTuple):
    """An address of the loopback interface, and a port: 0 is any that is free."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_address(text: str) -> Address:
    """Return an address; raises UsageError for what is none, and for one that others could reach."""
    found = _WRITTEN.fullmatch(text.strip())
    if not found or int(found[3]) > 65535:
        raise UsageError(f"{text!r} is no address with a port", hint=_HINT)
    host = "127.0.0.1" if found[2] and found[2].lower() == "localhost" else found[1] or found[2]
    try:
        ip = ipaddress.ip_address(host)
    except ValueError as error:
        raise UsageError(f"{text!r} is no address of this host", hint=_HINT) from error
    if ip not in _LOOPBACK and ip != ipaddress.IPv6Address("::1"):
        raise UsageError(f"{text!r} is open to other hosts", hint=_ELSEWHERE)
    return Address(str(ip), int(found[3]))
