"""The page in Chromium: the four questions are answered on screen, for everybody, on any screen."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from browsing import Visit, visiting
from hosted import Hosted, hosted
from playwright.sync_api import Browser, expect

from ballonet.service.models import SetAsked
from ballonet.show.table import printable
from ballonet.show.words import age, share, size
from ballonet.simulator.incidents import Happens, Incident
from ballonet.simulator.schedule import Step
from ballonet.simulator.spec import Spec
from ballonet.simulator.world import World
from ballonet.units import GIB, MIB, parse_duration, parse_size

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "\x1b[31mred\x1b[0m\nsecond line",
    "abc\u202egnp.exe\u2066",
    "{{ 7 * 7 }}/../x?y#z%2f&amp;",
]


# --- the four questions -----------------------------------------------------------------------------------


def test_it_is_seen_whether_the_host_is_safe(visit: Visit) -> None:
    visit.live()
    host = visit.host.service.overview().status
    assert host.hypervisors[0].sentence == visit.text("#host-sentence")
    assert host.hypervisors[0].state == visit.text("#host-state").lower()
    assert "enforce" == visit.text("#mode")
    legend = visit.text("#host .legend")
    assert re.search(r"reserve\s+256 MiB", legend)
    assert re.search(r"free\s+1\d\.\d GiB", legend)
    widths = visit.page.eval_on_selector_all(
        ".parts rect", "rects => rects.map(rect => parseFloat(rect.getAttribute('width')))"
    )
    assert sum(widths) == pytest.approx(100.0, abs=0.1)


def test_it_is_seen_who_has_memory(visit: Visit) -> None:
    visit.live()
    assert 4 == visit.page.locator("#guests tbody tr").count()
    row = visit.row("busy")
    guest = next(row for row in visit.host.service.overview().guests if row.name == "busy")
    assert f"{round((guest.actual_bytes or 0) / MIB)} MiB" in row.inner_text()
    assert guest.sentence in row.inner_text()
    has = float(row.locator(".has").get_attribute("width").rstrip("%"))
    assert has == pytest.approx(100 * (guest.actual_bytes or 0) / GIB, abs=0.1)


def test_it_is_seen_what_was_done_and_why(visit: Visit) -> None:
    visit.live()
    assert "it gives" in visit.text("#happened .events")
    before = visit.page.locator("#happened li").count()
    visit.host.does(visit.host.service.set(SetAsked(guest="web", size_bytes=700 * MIB), "anna"))
    expect(visit.page.locator("#happened li")).not_to_have_count(before)
    assert "anna" in visit.text("#happened .events")


def test_it_is_seen_what_comes_next(browser: Browser, place: Path) -> None:
    with hosted(place, web=True, ticks=3) as host, visiting(browser, host) as visit:
        visit.live()
        assert "under way" in visit.text("#next-said")
        step = visit.text("#next li >> nth=0")
        assert re.search(r"MiB|GiB → .*(MiB|GiB)", step)
        host.ticks(20)
        expect(visit.page.locator("#next-said")).to_have_text("Every guest stays as it is.")
        expect(visit.page.locator("#next li")).to_have_count(0)


def test_what_is_only_observed_says_so(browser: Browser, place: Path) -> None:
    with hosted(place, web=True, enforce=False, ticks=3) as host, visiting(browser, host) as visit:
        visit.live()
        assert "observe" == visit.text("#mode")
        assert "Observed only" in visit.text("#next-said")
        assert "would" in visit.text("#happened .events")


def test_a_click_explains_a_guest_with_its_history(visit: Visit) -> None:
    page = visit.live()
    visit.row("web").click()
    drawer = page.locator("dialog.drawer")
    drawer.locator("h1").wait_for()
    expect(drawer).to_contain_text("web has")
    for title in ("What it wants and gets", "What was known", "What was learned of it", "Its last changes"):
        expect(drawer).to_contain_text(title)
    expect(drawer.locator(".chart canvas")).to_have_count(2)
    assert page.url.endswith("/guest/simulated-web")
    visit.host.does(visit.host.service.set(SetAsked(guest="web", size_bytes=701 * MIB), "anna"))
    visit.host.ticks(2)
    expect(drawer.locator("[data-part=said]")).to_contain_text("701 MiB")
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    page.wait_for_url(f"{visit.url}/")


def test_events_are_found_by_guest_kind_and_words(visit: Visit) -> None:
    page = visit.live()
    page.fill("#events-text", "busy")
    shown = page.locator("#happened li:visible")
    assert 0 < shown.count() < page.locator("#happened li").count()
    page.select_option("#events-kind", "broken")
    assert 0 == shown.count()
    assert "Nothing that fits" in visit.text("#nothing")
    visit.open("/events?guest=web&kind=planned&text=gives")
    items = page.locator(".events li").all_inner_texts()
    assert items
    assert all("web" in item and "gives" in item for item in items)
    visit.open("/events?guest=nobody")
    assert "Nothing that fits" in visit.text("main")


# --- everybody, on any screen -----------------------------------------------------------------------------


def test_it_is_read_without_javascript(browser: Browser, seen: Hosted) -> None:
    with visiting(browser, seen, java_script_enabled=False) as visit:
        visit.open()
        assert "busy" in visit.text("#guests")
        assert "MiB →" in visit.text("#happened")
        assert visit.text("#next-said")
        assert not visit.page.locator("button:visible, input:visible").count()
        visit.page.get_by_role("link", name="web", exact=True).first.click()
        assert "What was learned of it" in visit.text("main")
        visit.page.get_by_role("link", name="Events", exact=True).click()
        visit.page.fill("[name=guest]", "busy")
        visit.page.click("form button")
        assert all("busy" in text for text in visit.page.locator(".events li").all_inner_texts())


def test_it_says_the_same_with_and_without_javascript(browser: Browser, seen: Hosted) -> None:
    parts = ("#host .head h2", "#host .legend", "#host .facts", "#next", "#guests tbody")
    with visiting(browser, seen, java_script_enabled=False) as visit:
        visit.open()
        drawn = [visit.text(part) for part in parts]
        bars = [each.get_attribute("width") for each in visit.page.locator("rect").all()]
        places = [each.get_attribute("x") or "0.00%" for each in visit.page.locator("rect").all()]
        words = visit.page.locator("tbody title").all_text_contents()
    with visiting(browser, seen) as visit:
        visit.live()
        assert drawn == [visit.text(part) for part in parts]
        assert bars == [each.get_attribute("width") for each in visit.page.locator("rect").all()]
        assert places == [each.get_attribute("x") or "0.00%" for each in visit.page.locator("rect").all()]
        assert words == visit.page.locator("tbody title").all_text_contents()


def test_values_are_written_as_everywhere(visit: Visit) -> None:
    visit.live()
    words = "import('/static/words.js').then(words => {values}.map(value => words.{name}(value)))"

    def said(name: str, values: Sequence[object]) -> object:
        return visit.page.evaluate(words.replace("{values}", json.dumps(values)).replace("{name}", name))

    sizes = [0, 1, 1023, 1024, 1536, 10_000, 1_048_575, 999 * MIB, 1023.6 * MIB, 9.995 * GIB, 3 * 2**50, -MIB]
    assert [size(each) for each in [None, *sizes]] == said("size", [None, *sizes])
    ages = [None, -0.4, 0, 0.6, 59.4, 59.6, 3599, 3600, 86399, 90000, 1e7]
    assert [age(each) for each in ages] == said("age", ages)
    shares = [None, 0.0, 0.00123, 0.5, 0.99951, 1.0]
    assert [share(each) for each in shares] == said("share", shares)
    texts = ["plain", "a\x1bb", "a\u202eb\u2066", "tab\tline\n", "é – ✓ 漢", "a\u00a0b\u2028c\ue000"]
    assert [printable(each) for each in texts] == said("printable", texts)
    typed = ["1500M", "1.5GiB", "2gb", ".5 k", "7b", "3KiB"]
    assert [parse_size(each) for each in typed] == said("parseSize", typed)
    durations = ["30s", "10m", "2h30m", "1.5h", "1 d"]
    assert [parse_duration(each) for each in durations] == said("parseDuration", durations)


def test_keys_go_everywhere(visit: Visit) -> None:
    page = visit.live()
    page.keyboard.press("/")
    page.keyboard.type("i")  # of idle
    expect(page.locator("#guests tbody tr:visible")).to_have_count(1)
    assert "1 of 4" == visit.text("#count")
    page.keyboard.press("Escape")
    expect(page.locator("#guests tbody tr:visible")).to_have_count(4)
    page.keyboard.press("/")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert "idle" == page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    page.locator("dialog.drawer h1").wait_for()
    assert "idle" in visit.text("dialog.drawer h1")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert "Keys" in visit.text("dialog[open]")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)


def test_guests_stand_in_the_order_that_is_asked_for(visit: Visit) -> None:
    page = visit.live()
    names = page.locator("#guests tbody .who a")
    expect(names).to_have_text(["busy", "idle", "spare", "web"])
    page.get_by_role("button", name="Guest").click()
    expect(names).to_have_text(["web", "spare", "idle", "busy"])
    page.get_by_role("button", name="Actual").click()
    expect(names.first).to_have_text("busy")
    assert "descending" == page.locator("th.actual").get_attribute("aria-sort")


@pytest.mark.parametrize("path", ["/", "/guest/simulated-web", "/events"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_screen_is_too_narrow(browser: Browser, seen: Hosted, path: str, width: int) -> None:
    with visiting(browser, seen, viewport={"width": width, "height": 740}) as visit:
        visit.open(path)
        assert width >= visit.page.evaluate("document.documentElement.scrollWidth")


def test_it_is_dark_where_that_is_wanted_and_chosen(browser: Browser, seen: Hosted) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    with visiting(browser, seen, color_scheme="dark") as visit:
        page = visit.live()
        dark = page.evaluate(ground)
        page.click("#theme")
        light = page.evaluate(ground)
        page.reload()
        assert dark != light == page.evaluate(ground)


# --- what may go wrong ------------------------------------------------------------------------------------


def test_names_are_text_whatever_they_say(browser: Browser, place: Path) -> None:
    class Numbered(World):
        """Guests whose UUIDs are not their names."""

        @staticmethod
        def uuid(spec: Spec) -> str:
            return f"00000000-0000-0000-0000-{HOSTILE.index(spec.name):012}"

    specs = [Spec(name, GIB, [Step(anon_mib=100.0, hot_mib=100.0)]) for name in HOSTILE]
    with (
        hosted(place, web=True, world=lambda clock: Numbered(specs, clock=clock)) as host,
        visiting(browser, host) as visit,
    ):
        page = visit.live()
        host.ticks(2)
        shown = sorted(page.locator("#guests tbody .who a").all_text_contents())
        assert sorted(re.sub(r"[\x00-\x1f\u202e\u2066]", "\ufffd", name) for name in HOSTILE) == shown
        page.locator("#guests tbody .who a").first.click()
        page.locator("dialog.drawer h1").wait_for()
        page.keyboard.press("Escape")
        page.wait_for_url(f"{visit.url}/")
        for path in (
            "/guest/00000000-0000-0000-0000-000000000000",
            "/events",
            '/events?guest=<script>&text="',
        ):
            visit.open(path)
        visit.expected.add("404")
        visit.open("/guest/%3Cscript%3Ealert(3)%3C%2Fscript%3E")
        assert "no guest" in visit.text("main")
        assert 0 == page.locator("main script, main img").count()


def test_the_policy_lets_nothing_of_others_in(visit: Visit) -> None:
    answer = visit.page.goto(f"{visit.url}/")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(
        r"""\s(style|on\w+)=|(src|href)=["']?(https?:)?//""", visit.page.content().partition("<body")[2]
    )


def test_a_lost_connection_shows_and_heals(visit: Visit) -> None:
    page = visit.live()
    assert page.locator("#lost").is_hidden()
    visit.expected.add("ERR_")
    visit.page.context.set_offline(offline=True)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # it connects anew
    expect(page.locator("#lost")).to_contain_text("No connection since")
    assert "stale" in (page.locator("main").get_attribute("class") or "")
    visit.page.context.set_offline(offline=False)
    expect(page.locator("#lost")).to_be_hidden()
    assert "stale" not in (page.locator("main").get_attribute("class") or "")


def test_guests_come_and_go_while_it_is_open(browser: Browser, place: Path) -> None:
    off = Incident(at=40.0, kind=Happens.OFF, seconds=20.0)
    load = [Step(anon_mib=100.0, hot_mib=100.0)]
    specs = [Spec("comes", GIB, load, incidents=[off]), Spec("stays", GIB, load)]
    with (
        hosted(place, web=True, world=lambda clock: World(specs, clock=clock)) as host,
        visiting(browser, host) as visit,
    ):
        page = visit.live()
        rows = page.locator("#guests tbody tr")
        page.evaluate("window.kept = document.querySelector('#guests tbody tr:last-child')")
        host.ticks(8)
        expect(rows).to_have_count(1)
        host.ticks(10)
        expect(rows).to_have_count(2)
        assert ["comes", "stays"] == page.locator("#guests tbody .who a").all_inner_texts()
        assert page.evaluate("window.kept === document.querySelector('#guests tbody tr:last-child')")
