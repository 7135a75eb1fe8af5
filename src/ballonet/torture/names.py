"""Who is who: guests of the simulated world, and the UUIDs that they are known by, which may change."""

_PREFIX = "simulated-"


class Names:
    """Gives a guest that comes back anew another UUID, under the same name."""

    def __init__(self) -> None:
        self._lives: dict[str, int] = {}

    def renew(self, name: str) -> None:
        """Have a guest go by another UUID from now on."""
        self._lives[name] = self._lives.get(name, 0) + 1

    def shown(self, inner: str) -> str:
        """Return the UUID that a guest is known by."""
        life = self._lives.get(inner.removeprefix(_PREFIX), 0)
        return f"{inner}~{life}" if life else inner

    @staticmethod
    def inner(uuid: str) -> str:
        """Return the UUID in the simulated world."""
        return uuid.partition("~")[0]

    def name(self, uuid: str) -> str:
        """Return the guest's name."""
        return self.inner(uuid).removeprefix(_PREFIX)

    def is_current(self, uuid: str) -> bool:
        """Return whether a guest still goes by this UUID."""
        return self.shown(self.inner(uuid)) == uuid
