"""The commands that ask the service: what they print, and with which code they fail."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from hosted import Hosted, hosted, until
from running import Run, two_lines

from ballonet import cli
from ballonet.facts.happening import Happening, Kind
from ballonet.service.lock import lock
from ballonet.units import GIB, MIB

Ask = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def ask(service: Hosted, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Return a function that runs a command, in this process, which finds that service."""
    monkeypatch.setenv("BALLONET_SOCKET", os.fspath(service.path))

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        code = cli.run_line(list(words))
        return subprocess.CompletedProcess(words, code, *capsys.readouterr())

    return run


def printed(result: "subprocess.CompletedProcess[str]") -> str:
    assert (0, "") == (result.returncode, result.stderr)
    return result.stdout


def document(result: "subprocess.CompletedProcess[str]") -> Any:
    found = json.loads(printed(result))
    assert "ballonet/v1" == found.pop("schema")
    return found


# --- looking ---------------------------------------------------------------------------------------------


def test_status_is_one_screen(ask: Ask, service: Hosted) -> None:
    text = printed(ask("status"))
    for words in (
        "mode      enforce: guests are resized",
        "sim:four: the host has plenty of memory",
        "budget      3.00 GiB",
        "guests      4: 4 managed",
        "last tick   0 s ago",
    ):
        assert words in text
    assert max(map(len, text.splitlines())) <= 80
    assert 3 * GIB == document(ask("status", "-o", "json"))["hypervisors"][0]["budget_bytes"]


def test_status_of_a_paused_service_says_so_first(ask: Ask, service: Hosted) -> None:
    said = printed(ask("pause", "--for", "1h", "--why", "an upgrade"))
    assert "everybody is held until 2023-11-1" in said
    status = printed(ask("status")).splitlines()
    assert status[2].startswith("paused    nothing is written: everybody is held until ")
    assert status[2].endswith(": an upgrade")
    assert "Everybody is held no more.\n" == printed(ask("resume"))
    assert "Everybody was not held.\n" == printed(ask("resume"))


def test_plan_is_a_row_a_guest(ask: Ask) -> None:
    title, header, *rows = printed(ask("plan")).splitlines()
    assert title.startswith("sim:four, ")
    assert ["GUEST", "ACTUAL", "NEXT", "NEED", "CUSHION", "CACHE", "SURPLUS", "REASON"] == header.split()
    assert ["busy", "idle", "spare", "web"] == [row.split()[0] for row in rows]
    assert rows[0].endswith("it has what it should have: all of its need, all of its cushion")
    [hypervisor] = document(ask("plan", "-o", "json"))["hypervisors"]
    assert ["busy", "idle", "spare", "web"] == [row["name"] for row in hypervisor["guests"]]


def test_why_says_what_was_known_wanted_learned_and_changed(ask: Ask) -> None:
    text = printed(ask("why", "web"))
    for words in (
        "web has 493 MiB of its 1.00 GiB.\nIt stays so: it has what it should have",
        "What was known, its own statistics 0 s old:\nusable        136 MiB",
        "TIER       WANTED      GETS\nneed      434 MiB   434 MiB",
        "What was learned of it:\nused          357 MiB",
        "AT                   CHANGE AND REASON ",
        "1.00 GiB → 630 MiB  it gives a part now and is watched: all of its need, all of its cushion  ",
    ):
        assert words in text
    assert "web" == document(ask("why", "web", "-o", "json"))["name"]
    result = ask("why", "wbe")
    assert 4 == result.returncode
    assert ("no guest 'wbe' runs here", "see who is there: ballonet plan") == two_lines(result)


def test_why_of_a_guest_that_is_held_says_by_whom(ask: Ask, service: Hosted) -> None:
    printed(ask("set", "idle", "900M", "--for", "10m"))
    service.ticks()
    text = printed(ask("why", "idle"))
    assert "It is left alone: held: somebody asked for it to be left as it is." in text
    assert "idle is held at 900 MiB until " in text
    assert "TIER     WANTED  GETS\nneed          –     –\n" in text


def test_events_are_a_line_each(ask: Ask, service: Hosted) -> None:
    lines = printed(ask("events")).splitlines()
    assert lines[0].endswith("  busy         is here")
    mine = printed(ask("events", "--guest", "web")).splitlines()
    assert mine == [line for line in lines if line.split()[2] == "web"]
    assert len(lines) == len(document(ask("events", "-o", "json"))["events"])
    result = ask("events", "--since", "1h")  # the simulated host's clock is years behind
    assert ("", "Nothing happened.\n") == (result.stdout, result.stderr)
    assert 4 == ask("events", "--guest", "who").returncode
    assert 2 == ask("events", "--since", "1").returncode


def test_what_a_guests_name_does_to_a_terminal_is_not_done(ask: Ask, service: Hosted) -> None:
    service.tell(Happening(1.0, Kind.CAME, "a\x1b[2Jb", "uuid-odd"))
    assert "a\N{REPLACEMENT CHARACTER}[2Jb" in printed(ask("events", "--guest", "uuid-odd"))
    assert "a\x1b[2Jb" == document(ask("events", "--guest", "uuid-odd", "-o", "json"))["events"][0]["name"]
    assert 2 == ask("why", "a\x1b[2Jb").returncode


@pytest.mark.parametrize("json_wanted", [False, True], ids=["lines", "json"])
def test_events_are_followed_until_the_service_ends(service: Hosted, *, json_wanted: bool) -> None:
    with following(service, *(("-o", "json") if json_wanted else ())) as process:
        assert process.stdout
        before = [process.stdout.readline() for _ in range(10)]
        service.tell(Happening(1.0, Kind.WENT, "old", "uuid-old"))
        new = process.stdout.readline()
        if json_wanted:
            assert json.loads(before[-1])["id"] + 1 == json.loads(new)["id"]
        else:
            assert new.endswith("  old          is gone\n")
        service.stop()
        out, err = process.communicate(timeout=60)
    assert (3, "") == (process.returncode, out)
    assert "ballonet: the service has ended\nhint: start it: systemctl start ballonet\n" == err


def test_following_ends_with_ctrl_c(service: Hosted) -> None:
    with following(service) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (130, "") == (process.returncode, err)


def following(service: Hosted, *words: str) -> "subprocess.Popen[str]":
    return background(service, "events", "-f", *words)


def background(service: Hosted, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "ballonet", *words],
        env={**os.environ, "BALLONET_SOCKET": os.fspath(service.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# --- having things done ----------------------------------------------------------------------------------


def test_a_guest_is_paused_and_resumed(ask: Ask, service: Hosted) -> None:
    assert "web is held until resumed, by " in printed(ask("pause", "web"))
    assert "web is held no more.\n" == printed(ask("resume", "web"))
    assert "web was not held.\n" == printed(ask("resume", "web"))
    hold = document(ask("pause", "4", "--for", "90s", "-o", "json"))
    assert ("web", service.uuid("web")) == (hold["name"], hold["uuid"])
    assert 4 == ask("pause", "who").returncode


def test_a_guest_is_set_for_a_time(ask: Ask, service: Hosted) -> None:
    assert "idle is held at 900 MiB until 2023-11-1" in printed(ask("set", "idle", "900M", "--for", "10m"))
    service.ticks()
    assert 900 * MIB == service.size("idle")
    hold = document(ask("set", "idle", "800M", "--for", "10m", "-o", "json"))
    assert (800 * MIB, None) == (hold["size_bytes"], hold["reached_after_seconds"])
    for words, code in (
        (("idle", "9G", "--for", "10m"), 5),
        (("idle", "1M", "--for", "10m"), 5),
        (("who", "900M", "--for", "10m"), 4),
        (("idle", "900M", "--for", "10"), 2),
        (("idle", "900M", "--for", "10m", "--config"), 2),
    ):
        result = ask("set", *words)
        assert code == result.returncode
        two_lines(result)


def test_guests_are_released(ask: Ask, service: Hosted) -> None:
    assert "idle is held until resumed, by " in printed(ask("release", "idle"))
    service.ticks(3)
    assert GIB == service.size("idle")
    assert 4 == len(printed(ask("release", "--all")).splitlines())
    for words in ((), ("idle", "--all")):
        result = ask("release", *words)
        assert (2, "name one guest, or say --all") == (result.returncode, two_lines(result)[0])


def test_room_is_made_listed_and_dropped(ask: Ask, service: Hosted) -> None:
    made = ask("make-room", "1.2GiB", "--guest", "new", "--hold", "10m")
    assert (0, "lease-1\n") == (made.returncode, made.stdout)  # for scripts; the rest is said to people
    assert made.stderr.startswith("1.20 GiB are free and kept so for new, until ")
    assert made.stderr.endswith("; to end it: ballonet room drop lease-1\n")
    assert "Kept free: 1.20 GiB. At most " in printed(ask("room", "list"))
    assert "lease-1: 1.20 GiB are kept free no longer.\n" == printed(ask("room", "drop", "lease-1"))
    assert printed(ask("room", "list")).startswith("Kept free: 0 B.")
    service.ticks()
    result = ask("room", "drop", "lease-1")
    assert (2, "there is no lease 'lease-1'") == (result.returncode, two_lines(result)[0])
    result = ask("make-room", "100G")
    assert 5 == result.returncode
    assert two_lines(result)[0].endswith("could be had at most without taking what guests need")
    assert 2 == ask("make-room", "1G", "--timeout", "2h").returncode
    assert "lease-2" == document(ask("make-room", "1G", "-o", "json"))["id"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_who_interrupts_make_room_leaves_no_lease(service: Hosted, number: int, code: int) -> None:
    service.clock.on_sleep = lambda: asyncio.sleep(0.01)  # nobody looks at the guests: it waits
    size = service.service.room().most_bytes - MIB
    with background(service, "make-room", f"{size}B") as process:
        until(lambda: bool(service.service.room().leases))
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    said = "ballonet: interrupted: nothing is kept free\n" if number == signal.SIGINT else ""
    assert (code, "", said) == (process.returncode, out, err)
    until(lambda: not service.service.room().leases)


@pytest.mark.parametrize(
    "words",
    [
        ("pause",),
        ("resume",),
        ("release", "--all"),
        ("make-room", "1G"),
        ("room", "drop", "x"),
        ("set", "web", "900M", "--for", "1m"),
    ],
    ids=lambda words: words[0],
)
def test_nothing_is_changed_read_only(ballonet: Run, words: tuple[str, ...]) -> None:
    result = ballonet(*words, "-r")
    assert 7 == result.returncode
    two_lines(result)


# --- over TCP --------------------------------------------------------------------------------------------


def test_token_prints_what_changes_over_tcp_need(place: Path, ballonet: Run) -> None:
    with hosted(place, web=True) as service:
        assert service.web is not None
        env = {"BALLONET_SOCKET": os.fspath(place)}
        result = ballonet("token", env=env)
        assert (0, f"For http://{service.web.address}/\n") == (result.returncode, result.stderr)
        found = document(ballonet("token", "-o", "json", env=env))
        assert {"address": str(service.web.address), "token": result.stdout.strip()} == found
        headers = {"Authorization": f"Bearer {found['token']}"}
        assert 200 == service.ask_web("POST", "/v1/pause", b"{}", headers)[0]


def test_without_tcp_token_says_how_to_have_it(ask: Ask) -> None:
    result = ask("token")
    assert 3 == result.returncode
    assert "start it with --web 127.0.0.1:9779" == two_lines(result)[1]


# --- no service ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("token",),
        ("plan",),
        ("why", "web"),
        ("events",),
        ("events", "-f"),
        ("pause",),
        ("resume",),
        ("release", "--all"),
        ("make-room", "1G"),
        ("room", "list"),
        ("set", "web", "900M", "--for", "1m"),
    ],
    ids=" ".join,
)
def test_without_a_service_each_says_how_to_start_it(
    ballonet: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    path = tmp_path / "ballonet.sock"
    result = ballonet(*words, env={"BALLONET_SOCKET": os.fspath(path)})
    assert 3 == result.returncode
    wrong, hint = two_lines(result)
    assert f"no service answers on {path}" == wrong
    assert f"start it: systemctl start ballonet, or ballonet run --socket {path}" == hint


def test_what_answers_in_other_words_is_told_from_the_service(ballonet: Run, tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="ballonet-") as directory:
        path = f"{directory}/other.sock"
        code = (
            "import socket; s = socket.socket(socket.AF_UNIX); s.bind('%s'); s.listen(); print(flush=True);"
            "c, _ = s.accept(); c.recv(4096);"
            "c.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n{}'); c.close()"
        )
        with subprocess.Popen([sys.executable, "-c", code % path], stdout=subprocess.PIPE) as other:
            assert other.stdout
            other.stdout.readline()
            result = ballonet("status", env={"BALLONET_SOCKET": path})
    assert 1 == result.returncode
    assert "of different versions" in two_lines(result)[0]


# --- the service that `run` is ---------------------------------------------------------------------------


@pytest.fixture
def running(host: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Return a `run` that observes libvirt's test driver and answers, and its socket."""
    with tempfile.TemporaryDirectory(prefix="ballonet-") as directory:
        path = f"{directory}/run/ballonet.sock"
        process = subprocess.Popen(
            [sys.executable, "-m", "ballonet", "-c", host, "run", "--budget", "8GiB", "--socket", path],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr
        assert "Observing" in process.stderr.readline()
        assert f"Answering on {path}: ballonet status.\n" == process.stderr.readline()
        try:
            yield process, path
        finally:
            process.kill()
            process.communicate()


def test_run_answers_while_it_runs(
    ballonet: Run, host: str, running: tuple["subprocess.Popen[str]", str]
) -> None:
    process, path = running
    assert process.stdout
    process.stdout.readline()  # the first tick has told something
    env = {"BALLONET_SOCKET": path}
    status = document(ballonet("status", "-o", "json", env=env))
    assert ("observe", host) == (status["mode"], status["hypervisors"][0]["uri"])
    assert "bare" in printed(ballonet("plan", env=env))
    assert "What can be done: virt-xml bare --edit" in printed(ballonet("why", "bare", env=env))
    assert "bare         is here" in printed(ballonet("events", env=env))
    result = ballonet("set", "web", "900M", "--for", "1m", env=env)
    assert (5, "guests are only observed") == (result.returncode, two_lines(result)[0])
    by_hand = ballonet("set", "web", "900M", "-c", host, env=env)
    assert (0, "") == (by_hand.returncode, by_hand.stderr)  # it would not be undone
    second = ballonet("run", "-c", host, "--budget", "8GiB", "--for", "1s", "--socket", path)
    assert 0 == second.returncode
    assert f"ballonet: nobody is answered: another service answers on {path}\n" in second.stderr
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert 0 == process.returncode
    assert not Path(path).exists()


def test_a_second_run_that_enforces_is_refused_wherever_its_state_is(
    ballonet: Run, host: str, tmp_path: Path
) -> None:
    (tmp_path / "1").mkdir()
    words = ("run", "--budget", "8GiB", "--enforce", "--state")
    command = [sys.executable, "-m", "ballonet", "-c", host, *words, os.fspath(tmp_path / "1")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout
        first.stdout.readline()
        second = ballonet("-c", host, *words, os.fspath(tmp_path / "2"))
        observer = ballonet("-c", host, "run", "--budget", "8GiB", "--for", "1s")
        findings = json.loads(ballonet("-c", host, "doctor", "-o", "json").stdout)["findings"]
        first.terminate()
        first.communicate(timeout=60)
    assert (5, 0) == (second.returncode, observer.returncode)
    wrong, hint = two_lines(second)
    assert wrong.startswith(f"another ballonet (process {first.pid}, since 20")
    assert wrong.endswith(f") resizes the guests of {host}: two would undo each other's work")
    assert "ballonet status" in hint
    [balanced] = [each for each in findings if each["code"] == "balanced"]
    assert ("advice", "host", None) == (balanced["severity"], balanced["subject"], balanced["remedy"])
    begins = f"a ballonet service balances these guests (process {first.pid}, since 20"
    assert balanced["what"].startswith(begins)
    third = ballonet("-c", host, *words, os.fspath(tmp_path / "2"), "--for", "1s")
    assert 0 == third.returncode


def test_who_only_looks_on_does_without_the_state_that_a_service_has(
    ballonet: Run, host: str, tmp_path: Path
) -> None:
    settings = tmp_path / "ballonet.toml"
    settings.write_text(f'[service]\nstate_directory = "{tmp_path}"\n')
    words = ("--config", os.fspath(settings), "-c", host, "run", "--budget", "8GiB", "--for", "1s")
    with closing(lock(tmp_path)):
        looks_on, acts = ballonet(*words), ballonet(*words, "--enforce")
    assert (0, 5) == (looks_on.returncode, acts.returncode)
    said = f"nothing is remembered: another ballonet (process {os.getpid()}, since 20"
    assert said in looks_on.stderr
    assert not (tmp_path / "state.sqlite").exists()
    assert f"has its state in {tmp_path}" in two_lines(acts)[0]


def test_run_goes_on_where_it_cannot_answer(ballonet: Run, host: str, tmp_path: Path) -> None:
    place = tmp_path / "precious"
    place.write_text("precious")
    result = ballonet("run", "-c", host, "--budget", "8GiB", "--for", "1s", "--socket", os.fspath(place))
    assert 0 == result.returncode
    assert f"ballonet: nobody is answered: {place} is there and is no socket\n" in result.stderr
    assert "precious" == place.read_text()


def test_run_answers_over_tcp_and_goes_on_where_it_cannot(ballonet: Run, host: str, place: Path) -> None:
    words = ["-c", host, "run", "--budget", "8GiB", "--socket", os.fspath(place), "--web"]
    command = [sys.executable, "-m", "ballonet", *words, "localhost:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as first:
        assert first.stderr
        said = [first.stderr.readline() for _ in range(3)][2]
        found = re.match(r"Answering on http://(127\.0\.0\.1:\d+)/: changes need what ballonet token", said)
        assert found, said
        [address] = found.groups()
        with urlopen(f"http://{address}/-/healthy", timeout=60) as answer:
            assert b'{"healthy":true}' == answer.read()
        token = document(ballonet("token", "-o", "json", env={"BALLONET_SOCKET": os.fspath(place)}))["token"]
        assert f"{token}\n" == (place.parent / "web-token").read_text()
        second = ballonet("-c", host, "run", "--budget", "8GiB", "--for", "1s", "--web", address)
        first.terminate()
        first.communicate(timeout=60)
    assert (0, 0) == (first.returncode, second.returncode)
    wrong = f"nobody is answered over TCP: nothing can be served on {address}: Address already in use"
    assert f"ballonet: {wrong}\nhint: name another port: --web 127.0.0.1:PORT\n" in second.stderr


def test_run_serves_metrics_of_guests_by_other_exporters_names_too(
    ballonet: Run, host: str, place: Path
) -> None:
    words = ["-c", host, "run", "--budget", "8GiB", "--socket", os.fspath(place), "--compat-libvirt-metrics"]
    command = [sys.executable, "-m", "ballonet", *words, "--web", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()  # the first tick has told something
        address = document(ballonet("token", "-o", "json", env={"BALLONET_SOCKET": os.fspath(place)}))[
            "address"
        ]
        with urlopen(f"http://{address}/metrics", timeout=60) as answer:
            text = answer.read().decode()
        process.terminate()
        process.communicate(timeout=60)
    assert 'libvirt_domain_info_maximum_memory_bytes{domain="web"} 2147483648.0' in text
    assert f'ballonet_libvirt_up{{uri="{host}"}} 1.0' in text
    assert 'reason="no-device"} 0.0' in text
    assert 'ballonet_libvirt_call_timeouts_total{call="reading"} 0.0' in text


@pytest.mark.parametrize("address", ["0.0.0.0:9779", "9779", "on"])
def test_run_refuses_an_address_that_is_not_this_hosts_own(ballonet: Run, host: str, address: str) -> None:
    result = ballonet("-c", host, "run", "--budget", "8GiB", "--web", address)
    assert 2 == result.returncode
    wrong, hint = two_lines(result)
    assert wrong.startswith("--web: service.web: ")
    assert hint.endswith(', or "off"')


def test_set_by_hand_says_when_the_service_would_undo_it(ballonet: Run, host: str, service: Hosted) -> None:
    """The service manages a guest of the same UUID, as the one on libvirt's test driver has."""
    web = "11111111-1111-4111-8111-111111111111"
    assert service.engine.plan
    snapshot = service.engine.plan.snapshot
    object.__setattr__(snapshot, "uuids", (*snapshot.uuids[:3], web))
    result = ballonet("set", "web", "1200M", "-c", host, env={"BALLONET_SOCKET": os.fspath(service.path)})
    assert 0 == result.returncode
    assert "to keep it: ballonet set web 1200MiB --for 10m" in result.stderr


# --- history ---------------------------------------------------------------------------------------------


@pytest.fixture
def now(service: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have commands live in the simulated time."""
    monkeypatch.setattr("ballonet.cli.times.time.time", service.clock.time)


@pytest.mark.usefixtures("now")
def test_history_of_a_guest_is_a_table_json_or_csv(ask: Ask, service: Hosted) -> None:
    text = printed(ask("history", "web"))
    assert text.startswith("web: 2023-11-1")
    found = document(ask("history", "web", "--since", "20s", "-o", "json"))
    assert service.size("web") == found["actual_bytes"][-1]
    assert 10 == len(found["at_seconds"])
    lines = printed(ask("history", "web", "--since", "20s", "-o", "csv")).splitlines()
    assert 11 == len(lines)
    assert "at,maximum_bytes,floor_bytes,actual_bytes,told_bytes" == ",".join(lines[0].split(",")[:5])


@pytest.mark.usefixtures("now")
def test_history_of_the_host_ends_where_it_is_said_to(ask: Ask) -> None:
    whole = document(ask("history", "-o", "json"))
    part = document(ask("history", "--until", "10s", "-o", "json"))
    assert part["at_seconds"] == whole["at_seconds"][:-5]
    assert printed(ask("history")).startswith("the host: ")


@pytest.mark.usefixtures("now")
def test_history_is_drawn_into_a_file(ask: Ask, tmp_path: Path) -> None:
    for words in (["web"], []):
        drawn = ask("history", *words, "--plot", str(tmp_path / "a.svg"))
        assert (0, f"Drawn: {tmp_path / 'a.svg'}\n") == (drawn.returncode, drawn.stderr)
        assert "</svg>" in (tmp_path / "a.svg").read_text()


@pytest.mark.usefixtures("now")
def test_report_is_one_screen(ask: Ask) -> None:
    text = printed(ask("report"))
    assert "history begins then (asked for: 1 d)" in text
    assert "GUEST" in text
    assert 28.0 == document(ask("report", "--since", "1h", "-o", "json"))["observed_seconds"]


@pytest.mark.parametrize(
    ("words", "code", "wrong"),
    [
        (["status", "-o", "csv"], 2, "only history comes as CSV"),
        (["history", "-o", "yaml"], 2, "there is no output 'yaml'"),
        (["history", "nobody"], 4, "no guest 'nobody' runs here"),
        (["history", "--since", "2026-13-01T00:00"], 2, "'2026-13-01T00:00' is no time"),
        (["history", "--since", "5"], 2, "duration '5' has no unit"),
        (["history", "--since", "2099-01-01"], 2, "the time asked for ends before it begins"),
        (["report", "--since", "2099-01-01"], 2, "the time asked for ends before it begins"),
        (["history", "web", "--plot", "a.gif"], 2, "a.gif is the name of no picture"),
    ],
)
@pytest.mark.usefixtures("now")
def test_what_history_cannot_show_is_said(ask: Ask, words: list[str], code: int, wrong: str) -> None:
    result = ask(*words)
    assert code == result.returncode
    assert wrong in two_lines(result)[0]
