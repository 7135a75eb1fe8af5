"""Where settings files lie, and in which order they are read: what comes later goes before."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ballonet.errors import Issue, SettingsError

NAME = "ballonet.toml"
DROP_INS = "conf.d"


@dataclass(frozen=True, slots=True)
class Places:
    """Directories of one kind are in their order: a file hides those of the same name before it."""

    mains: tuple[Path, ...]
    drop_ins: tuple[Path, ...]
    must_exist: bool = False  # somebody named the main file

    @classmethod
    def usual(cls, root: Path = Path("/")) -> Self:
        """Return the places of a system: the vendor's, those of this boot, the administrator's."""
        vendor, own = (root / part / "ballonet" for part in ("usr/lib", "etc"))
        # Not in /run/ballonet: that is the service's own, shut to others, and ends with it.
        boot = root / "run" / f"ballonet.{DROP_INS}"
        return cls((vendor / NAME, own / NAME), (vendor / DROP_INS, boot, own / DROP_INS))

    @classmethod
    def beside(cls, file: Path) -> Self:
        """Return one main file with its drop-ins, in `conf.d` beside it."""
        return cls((file,), (file.parent / DROP_INS,), must_exist=True)

    def files(self) -> list[Path]:
        """Return the files to read: a main file, then drop-ins by name.

        As with systemd a file hides others of its name in places before its own, and one that is a link to
        /dev/null is only there for that. Raises SettingsError for what cannot be looked into.
        """
        main = next((path for path in reversed(self.mains) if os.path.lexists(path)), None)
        if main is None and self.must_exist:
            main = self.mains[-1]  # whoever reads it says that it is not there
        named = {path.name: path for directory in self.drop_ins for path in _files_in(directory)}
        chosen = [*([main] if main else []), *(named[name] for name in sorted(named))]
        return [path for path in chosen if path.resolve() != Path(os.devnull)]


def reason(error: OSError) -> str:
    """Return what the system says was wrong with a file."""
    return f"it cannot be read: {os.strerror(error.errno)}" if error.errno else str(error)


def _files_in(directory: Path) -> list[Path]:
    try:
        return [path for path in directory.iterdir() if path.suffix == ".toml"]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        hint = "let this user read it, or run as another: sudo"
        raise SettingsError([Issue(reason(error), hint, file=str(directory))]) from error
