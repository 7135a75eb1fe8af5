"""What happened, a line each."""

from ballonet.facts.happening import ACTS
from ballonet.service.models import Event
from ballonet.show.table import UNKNOWN, printable
from ballonet.show.words import moment


def event_line(event: Event) -> str:
    """Return when, to whom, and what."""
    who = event.name or UNKNOWN
    would = "" if event.written or event.kind not in ACTS else "would: "
    return printable(f"{moment(event.at)}  {who:<12} {would}{event.sentence}")
