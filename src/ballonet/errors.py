"""Everything that can go wrong, as the command line's exit codes see it.

BallonetError                  1  failed
├── HypervisorError            1  the hypervisor refused, failed or cannot be reached
│   └── DeadlineError          1  it did not answer in time
├── JournalError               1  what must be written down first cannot be: nothing is sent
├── NotRunningError            3  the service does not run
├── UsageError                 2  malformed size, duration, URI, option or setting
│   └── NoSuchLeaseError       2  no lease of that id: it is over, or used up
├── NoSuchGuestError           4  no guest of that name, UUID or id
├── RefusedError               5  a safety rule forbids it
├── NotReachedError            6  not reached in time
└── NotPermittedError          7  rights are missing
"""

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


class JournalError(BallonetError):
    """The journal cannot be written, as on a full disk: what was to be done was not."""


class NotRunningError(BallonetError):
    """The service does not run, or cannot be reached."""

    exit_code = 3


class UsageError(BallonetError):
    """The words given cannot be understood: nothing was tried."""

    exit_code = 2


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
