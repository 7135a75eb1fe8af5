"""What people have done on the page in Chromium: confirmed, authorised once, seen to take effect."""

import re

import pytest
from browsing import Visit
from playwright.sync_api import Locator, expect

from ballonet.units import MIB


def dialog(visit: Visit, act: str) -> Locator:
    """Return the dialog that a button of the innermost part opens."""
    drawer = visit.page.locator("dialog.drawer")
    place = drawer if drawer.count() else visit.page.locator("#host")
    place.locator(f"[data-act={act}]").click()
    return visit.page.locator("dialog:has(form)")


def confirm(visit: Visit, form: Locator) -> None:
    """Confirm, with the token where it is asked for."""
    visit.expected.add("401")
    form.locator("button.main").click()
    token = form.locator("[name=token]")
    expect(visit.page.locator("[name=token]:visible, #said:visible").first).to_be_visible()
    if token.count():
        token.fill(visit.token())
        form.locator("button.main").click()
    expect(form).to_have_count(0)


def drawer(visit: Visit, name: str) -> Locator:
    visit.live()
    visit.row(name).click()
    found = visit.page.locator("dialog.drawer")
    found.locator("h1").wait_for()
    return found


def test_everybody_is_paused_and_resumed(visit: Visit) -> None:
    page = visit.live()
    form = dialog(visit, "pause")
    form.locator("[name=for]").fill("10m")
    form.locator("[name=why]").fill("<b>tea</b>")
    confirm(visit, form)
    expect(page.locator("#paused")).to_contain_text("<b>tea</b>")
    assert visit.host.service.status().paused is not None
    assert "until" in visit.text("#said")
    expect(page.locator("#host [data-act=resume]")).to_be_enabled()
    confirm(visit, dialog(visit, "resume"))
    expect(page.locator("#paused")).to_be_hidden()
    assert visit.host.service.status().paused is None


def test_a_guest_is_set_held_and_resumed(visit: Visit) -> None:
    found = drawer(visit, "web")
    form = dialog(visit, "set")
    form.locator("[name=size]").fill("900MiB")
    form.locator("[name=for]").fill("")
    confirm(visit, form)
    assert "held at 900 MiB until resumed" in visit.text("#said")
    visit.host.ticks(5)
    expect(found.locator(".facts")).to_contain_text(re.compile(r"actual\s*900 MiB"))
    assert 900 * MIB == pytest.approx(visit.host.size("web"), abs=MIB)
    expect(found.locator("h1")).to_contain_text("paused")
    confirm(visit, dialog(visit, "resume"))
    visit.host.ticks(2)
    expect(found.locator("h1")).not_to_contain_text("paused")
    assert not visit.host.service.holds().holds


def test_a_guest_is_held_as_it_is(visit: Visit) -> None:
    drawer(visit, "busy")
    form = dialog(visit, "pause")
    form.locator("[name=for]").fill("1h30m")
    confirm(visit, form)
    (hold,) = visit.host.service.holds().holds
    assert hold.until is not None
    assert ("busy", 5400.0) == (hold.name, (hold.until - hold.begun_at).total_seconds())
    visit.page.keyboard.press("Escape")
    visit.host.ticks()
    expect(visit.row("busy")).to_contain_text("paused")


def test_guests_are_released(visit: Visit) -> None:
    drawer(visit, "idle")
    before = visit.host.size("idle")
    confirm(visit, dialog(visit, "release"))
    visit.host.ticks(5)
    assert visit.host.size("idle") > before
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator("dialog.drawer")).to_have_count(0)
    confirm(visit, dialog(visit, "release"))
    visit.host.ticks(3)
    expect(visit.page.locator("#guests tbody tr[data-state=paused]")).to_have_count(4)


def test_the_token_is_asked_for_once_and_a_wrong_one_again(visit: Visit) -> None:
    visit.live()
    visit.expected.add("401")
    form = dialog(visit, "pause")
    form.locator("button.main").click()
    for wrong in ("", "wrong"):
        form.locator("[name=token]").fill(wrong)
        form.locator("button.main").click()
        expect(form.locator(".error")).to_contain_text("ballonet token")
    form.locator("[name=token]").fill(visit.token())
    form.locator("button.main").click()
    expect(form).to_have_count(0)
    form = dialog(visit, "resume")
    form.locator("button.main").click()
    expect(form).to_have_count(0)
    assert visit.token() == visit.page.evaluate("sessionStorage.getItem('ballonet-token')")


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("size", "1500", "a bare number means KiB"),
        ("size", "much", "sizes look like"),
        ("size", "1MiB", "floor"),
        ("for", "ten", "durations look like"),
        ("for", "5", "durations look like"),
    ],
)
def test_what_is_refused_is_said_with_what_to_do(visit: Visit, field: str, text: str, said: str) -> None:
    visit.expected |= {"401", "409"}
    drawer(visit, "web")
    visit.page.evaluate("token => sessionStorage.setItem('ballonet-token', token)", visit.token())
    form = dialog(visit, "set")
    form.locator("[name=size]").fill("900MiB")
    form.locator(f"[name={field}]").fill(text)
    form.locator("button.main").click()
    expect(form.locator(".error")).to_contain_text(said)
    form.get_by_role("button", name="Cancel").click()
    assert not visit.host.service.holds().holds
