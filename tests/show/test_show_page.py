"""What the page says: places of bars, words for what is unknown, and text that is nothing but text."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ballonet.service.models import Event, GuestRow, HostMemory, HypervisorStatus, Verdict
from ballonet.show.page import views
from ballonet.show.page.render import Pages
from ballonet.units import GIB, MIB

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def row(**known: Any) -> GuestRow:
    unknown = dict.fromkeys(GuestRow.model_fields)
    fixed = {
        "name": "web",
        "uuid": "an-uuid",
        "hypervisor": "sim:",
        "state": "steady",
        "verdict": Verdict(code="managed", managed=True, reason="managed", remedy=None),
        "sentence": "it has what it should have",
    }
    return GuestRow.model_validate({**unknown, **fixed, **known})


def event(**known: Any) -> Event:
    plain = dict.fromkeys(Event.model_fields)
    fixed = {"id": 7, "at": AT, "kind": "planned", "name": "web", "uuid": "an-uuid", "written": True}
    return Event.model_validate({**plain, **fixed, "sentence": "1.00 GiB → 512 MiB  it gives", **known})


def test_what_is_unknown_is_no_zero() -> None:
    view = views.guest_view(row())
    assert ["–"] * 4 == [view.actual, view.maximum, view.usable, view.age]
    assert ("", "", "") == (view.floor, view.ceiling, view.target)
    assert "needs –" in view.bar
    assert "waiting" == views.guest_view(row(state="booting")).usable
    assert "0 B" == views.guest_view(row(state="booting", usable_bytes=0)).usable


def test_a_bar_is_on_the_scale_of_the_maximum() -> None:
    sizes = {"maximum_bytes": GIB, "actual_bytes": 512 * MIB, "floor_bytes": 256 * MIB, "ceiling_bytes": GIB}
    view = views.guest_view(row(**sizes, need_bytes=128 * MIB))
    assert ("50.00", "12.50", "0.00", "25.00", "75.00") == (
        view.has,
        view.met,
        view.lacks,
        view.floor,
        view.allowed,
    )
    view = views.guest_view(row(**sizes, need_bytes=768 * MIB, target_bytes=640 * MIB))
    assert ("50.00", "25.00", "62.50") == (view.met, view.lacks, view.target)
    view = views.guest_view(row(**sizes, need_bytes=4 * GIB))
    assert "100.00" == view.lacks


def test_a_guest_on_its_way_is_going_somewhere() -> None:
    assert views.aim(row(state="steady", told_bytes=MIB)) is None
    assert MIB == views.aim(row(state="growing", told_bytes=MIB))
    assert 2 * MIB == views.aim(row(state="growing", told_bytes=MIB, target_bytes=2 * MIB))


def test_the_parts_of_a_host_fill_its_bar() -> None:
    host = HostMemory(
        total_bytes=8 * GIB,
        available_bytes=4 * GIB,
        own_bytes=GIB,
        guests_bytes=3 * GIB,
        reserve_bytes=GIB,
        leased_bytes=0,
        headroom_bytes=3 * GIB,
        swap_total_bytes=0,
        swap_free_bytes=0,
        pressure_some_ratio=None,
        pressure_full_ratio=None,
    )
    parts = views.host_parts(host)
    assert 100.0 == sum(float(part.width) for part in parts)
    assert ["0.00", "12.50", "50.00", "50.00", "62.50"] == [part.start for part in parts]
    unknown = views.host_parts(host.model_copy(update={"own_bytes": None, "guests_bytes": None}))
    assert "–" == unknown[0].size


def test_the_worst_state_is_the_hosts() -> None:
    def hypervisor(state: str | None) -> HypervisorStatus:
        plain = dict.fromkeys(HypervisorStatus.model_fields)
        counts = {"total": 0, "managed": 0, "by_verdict": {}}
        known: dict[str, Any] = {
            "uri": "sim:",
            "unanswered": [],
            "state": state,
            "budget_bytes": GIB,
            "guests": counts,
        }
        return HypervisorStatus.model_validate({**plain, **known})

    states = [hypervisor(state) for state in ("comfort", "hard", None, "plenty")]
    assert states[1] is views.worst(states)
    assert views.worst([hypervisor(None)]) is None


def test_a_change_is_told_apart_from_its_reason() -> None:
    assert ("1.00 GiB → 512 MiB", "it gives") == views.step_and_reason("1.00 GiB → 512 MiB  it gives")
    assert ("", "was reset") == views.step_and_reason("was reset")
    assert views.observed_only(event(written=False))
    assert not views.observed_only(event(written=False, kind="came"))


def test_a_path_takes_any_name() -> None:
    assert "/guest/..%2F%3Cb%3E%3F%23%25" == views.guest_href("../<b>?#%")


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"onload="x', "a\x1b[2Jb", "a\u202eb", "{{ 7 * 7 }}"]
)
def test_text_is_nothing_but_text(name: str) -> None:
    drawn = Pages().events([event(name=name, sentence=name)], {"guest": name, "kind": "", "text": name})
    assert "<script>alert" not in drawn
    assert '"onload' not in drawn
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", drawn)
    assert "49" not in drawn.partition("<main")[2].replace("{{ 7 * 7 }}", "")


def test_a_view_without_a_guest_is_what_new_rows_are_made_from() -> None:
    blank = views.GuestView()
    assert "" == blank.name
    assert replace(blank, uuid="a b").href == "/guest/a%20b"
