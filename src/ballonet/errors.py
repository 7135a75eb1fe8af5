"""Everything that can go wrong, as the command line's exit codes see it.

BallonetError                  1  failed
├── HypervisorError            1  the hypervisor refused, failed or cannot be reached
│   ├── DeadlineError          1  it did not answer in time
│   ├── UnreachableError       1  there is no connection to it
│   │   └── BrokenError        1  the connection broke; it may have done it
│   └── MovedError             1  the guest's size is no longer what the change was decided from
├── NotReadyError              1  the guests were not looked at yet
├── JournalError               1  what must be written down first cannot be: nothing is sent
├── NotRunningError            3  the service does not run
├── UsageError                 2  malformed size, duration, URI, option or setting
│   ├── SettingsError          2  settings files cannot be used: all that is wrong with them
│   └── NoSuchLeaseError       2  no lease of that id: it is over, or used up
├── NoSuchGuestError           4  no guest of that name, UUID or id
├── RefusedError               5  a safety rule forbids it
├── NotReachedError            6  not reached in time
└── NotPermittedError          7  rights are missing
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class BallonetError(Exception):
    """A failure that a user can act on: one line that says what is wrong, one that says what to do.

    The base class itself is for operations that failed for reasons of their own.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class HypervisorError(BallonetError):
    """The hypervisor refused, failed, or cannot be reached."""


class DeadlineError(HypervisorError):
    """The hypervisor did not answer within the call's deadline; what it was asked may still happen."""


class UnreachableError(HypervisorError):
    """There is no connection to the hypervisor: nothing hangs, and it is tried again."""


class BrokenError(UnreachableError):
    """The connection to the hypervisor broke while it was asked: that may have been done."""


class MovedError(HypervisorError):
    """The guest's size is no longer what the change was decided from: it was not sent."""


class NotReadyError(BallonetError):
    """The guests were not looked at yet: a moment later the same is answered."""


class JournalError(BallonetError):
    """The journal cannot be written, as on a full disk: what was to be done was not."""


class NotRunningError(BallonetError):
    """The service does not run, or cannot be reached."""

    exit_code = 3


class UsageError(BallonetError):
    """The words given cannot be understood: nothing was tried."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Issue:
    """What is wrong with one setting, where it stands, and what to do about it."""

    message: str
    hint: str
    file: str = ""  # or the option of the command line, or the guest whose metadata it is
    line: int | None = None
    column: int | None = None
    key: str = ""  # dotted, as TOML writes it

    @property
    def text(self) -> str:
        """Return `FILE:LINE:COLUMN: KEY: what is wrong`, as far as each is known."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return ": ".join(part for part in (place, self.key, self.message) if part)


class SettingsError(UsageError):
    """Settings cannot be used, and so none of them is: every issue that was found."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__("; ".join(issue.text for issue in issues), hint=issues[0].hint)
        self.issues = tuple(issues)


class NoSuchLeaseError(UsageError):
    """No lease of that id: it is over, used up, or never was."""


class NoSuchGuestError(BallonetError):
    """No guest of that name, UUID or id; or it vanished between two calls."""

    exit_code = 4


class RefusedError(BallonetError):
    """A safety rule, or the guest's own make, forbids it: nothing was changed."""

    exit_code = 5


class NotReachedError(BallonetError):
    """What was asked for was sent, but the guest did not get there in time."""

    exit_code = 6


class NotPermittedError(BallonetError):
    """The hypervisor, or the kernel, denies this user what was asked."""

    exit_code = 7
