"""Draws the page. All text is escaped, and nothing in it can hide or turn round other text."""

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ballonet.facts.happening import ACTS, Kind
from ballonet.service.models import Event, Overview, Why
from ballonet.show import why as explained
from ballonet.show.page import views
from ballonet.show.requests import hold_sentence
from ballonet.show.table import printable
from ballonet.show.words import age, moment, share, size


class Pages:
    """The templates, read once."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=PackageLoader("ballonet.show.page"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_shown,
        )
        self._templates.filters.update(
            age=age, hold_sentence=hold_sentence, moment=moment, share=share, size=size
        )
        self._templates.globals.update(
            blank=views.GuestView(),
            kinds=tuple(Kind),
            acts=" ".join(sorted(ACTS)),
            guest_href=views.guest_href,
            observed_only=views.observed_only,
            step_and_reason=views.step_and_reason,
        )

    def overview(self, overview: Overview, events: Sequence[Event]) -> str:
        """Return the page: the host, its guests, what happened and what comes next."""
        host = overview.status.host
        return self._draw(
            "overview.html",
            overview=overview,
            status=overview.status,
            parts=[] if host is None else views.host_parts(host),
            worst=views.worst(overview.status.hypervisors),
            guests=[views.guest_view(row) for row in overview.guests],
            steps=views.next_steps(overview),
            events=events[::-1],
        )

    def guest(self, why: Why, overview: Overview) -> str:
        """Return the page of one guest: why it has the size that it has."""
        row = next((row for row in overview.guests if row.uuid == why.uuid), None)
        return self._draw(
            "guest.html",
            why=why,
            row=None if row is None else views.guest_view(row),
            said=explained.said(why),
            told=explained.told(why.inputs),
            inputs=explained.inputs(why.inputs),
            tiers=explained.tiers(why.wanted, why.got),
            learned=explained.learned(why.learned),
            changes=[
                (change, *views.step_and_reason(change.sentence), explained.result(change))
                for change in why.changes[::-1]
            ],
        )

    def events(self, events: Sequence[Event], asked: dict[str, str]) -> str:
        """Return the page of what happened; `asked` is what its filters say."""
        return self._draw("events.html", events=events[::-1], asked=asked)

    def failure(self, error: str, hint: str) -> str:
        """Return a page that says what went wrong."""
        return self._draw("failure.html", error=error, hint=hint)

    def _draw(self, template: str, **shown: object) -> str:
        return self._templates.get_template(template).render(**shown)


def _shown(value: object) -> object:
    """Return what stands in a template's place for a value: text without control or bidi characters."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value
