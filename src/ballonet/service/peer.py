"""Who is at the other end of a unix socket, as the kernel tells."""

import array
import os
import pwd
import socket
import struct
from dataclasses import dataclass
from typing import Self

_CREDENTIALS = struct.Struct("iII")  # struct ucred: pid, uid, gid
_SO_PEERGROUPS = 59  # Linux 4.13; Python does not name it
_GROUPS_BYTES = 1024  # what Python reads of an option at most: 256 groups


@dataclass(frozen=True, slots=True)
class Peer:
    """A process's user and groups at the time when it connected."""

    uid: int
    gids: frozenset[int]

    @classmethod
    def of(cls, connection: socket.socket) -> Self:
        """Ask the kernel; raises OSError where it does not know."""
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        _, uid, gid = _CREDENTIALS.unpack(credentials)
        return cls(uid, frozenset({gid, *_groups(connection)}))

    def may(self, group_id: int) -> bool:
        """Return whether this user may use a socket of that group: root, the service's own, and members."""
        return self.uid in {0, os.geteuid()} or group_id in self.gids

    @property
    def name(self) -> str:
        """Return the user's name, and "uid 1234" of one without."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return f"uid {self.uid}"


def _groups(connection: socket.socket) -> list[int]:
    """Return the groups that the peer is in besides its own; none where the kernel does not tell."""
    try:
        data = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _GROUPS_BYTES)
    except OSError:  # an older kernel, or more than 256 groups: the socket's own mode still lets in members
        return []
    return array.array("I", data).tolist()
