"""What an operating system's balloon driver knows, and what to install where it does not report.

The system is what a guest's definition notes, in libosinfo's words: "http://microsoft.com/win/11".
"""

from urllib.parse import urlsplit

_SIZE_BY_HAND = "nothing to install: size it by hand, ballonet set {name} SIZE"
_WINDOWS = "in the guest: install the virtio drivers' balloon driver, then its service: blnsvr.exe -i"
_LINUX = "in the guest: modprobe virtio_balloon"

# By verdict, and by whose system it is; those that are not named here are Linux.
_REMEDIES = {
    "silent": {
        "microsoft.com": _WINDOWS,
        "freebsd.org": _SIZE_BY_HAND,
        "openbsd.org": _SIZE_BY_HAND,
        "netbsd.org": _SIZE_BY_HAND,
        "apple.com": "nothing to install: it has no driver: ballonet set-max {name} SIZE --config",
        "": _LINUX,
    },
    "no-usable": {
        "microsoft.com": "in the guest: install or start the balloon driver's service: blnsvr.exe -i",
        "": "in the guest: use kernel 4.6 or later; until then: ballonet set {name} SIZE",
    },
}


def remedy(code: str, system: str) -> str:
    """Return what helps a guest of this system against a verdict, naming it as `{name}`; "" if unknown."""
    by_vendor, vendor = _REMEDIES.get(code, {}), _vendor(system)
    return by_vendor.get(vendor, by_vendor.get("", "")) if vendor else ""


def may_be_linux(system: str) -> bool:
    """Return whether a guest may know autodeflate and free page reporting: only Linux' driver does."""
    return _vendor(system) not in _REMEDIES["silent"].keys() - {""}


def _vendor(system: str) -> str:
    """Return whose system that is; "" where it is not known."""
    try:
        return (urlsplit(system).hostname or "").removeprefix("www.")
    except ValueError:  # definitions are written by anybody
        return ""
