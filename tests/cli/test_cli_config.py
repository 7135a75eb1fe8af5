"""`config`, and `run` with settings from files: what users see, and what they can do about it."""

import json
from pathlib import Path
from typing import Any

import pytest
from running import HOST, Run, two_lines

UUID = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ballonet.toml"
    path.write_text(
        '[host]\nbudget = "3GiB"\n[guest.default]\nfloor = "30%"\n[guest."w*"]\nfloor = "1GiB"\n'
        f'weight = 400\n[guest.web]\nmanage = false\n[guest."{UUID}"]\nweight = 5\n'
        '[service]\nevent_retention = "1d"\n'
    )
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/50-x.toml").write_text('[host]\nreserve = "128MiB"\n')
    return path


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


# --- check ------------------------------------------------------------------------------------------


def test_good_files_are_named(ballonet: Run, file: Path) -> None:
    result = ballonet("--config", str(file), "config", "check")

    assert (0, "") == (result.returncode, result.stderr)
    assert [str(file), f"{file.parent}/conf.d/50-x.toml", "Nothing is wrong."] == result.stdout.splitlines()


def test_every_issue_is_a_line_and_a_hint(ballonet: Run, file: Path) -> None:
    file.write_text("[host]\nbudget = 12\n")
    (file.parent / "conf.d/50-x.toml").write_text('[guest."web-*"]\n\nweigth = 400\n')

    result = ballonet("config", "check", "--config", str(file))

    assert (2, "") == (result.returncode, result.stdout)
    assert [
        f"ballonet: {file}:2: host.budget: 12 has no unit",
        'hint: write it in quotes and with its unit, such as "12GiB"',
        f'ballonet: {file.parent}/conf.d/50-x.toml:3: guest."web-*".weigth: there is no such key',
        "hint: did you mean: weight?",
    ] == result.stderr.splitlines()


def test_issues_as_json(ballonet: Run, file: Path) -> None:
    file.write_text("[host\n")

    result = ballonet("config", "check", str(file), "-o", "json")

    assert (2, "") == (result.returncode, result.stderr)
    found = json.loads(result.stdout)
    assert [str(file)] == found["files"]
    [issue] = found["issues"]
    assert {"file": str(file), "line": 1, "column": 6, "key": ""}.items() <= issue.items()
    good = json.loads(ballonet("config", "check", str(file.parent / "conf.d/50-x.toml"), "-o", "json").stdout)
    assert [] == good["issues"]


def test_files_that_are_named_are_read_alone_and_together(ballonet: Run, file: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one.toml", tmp_path / "other.toml"
    one.write_text('guest.a.floor = "2GiB"\n')
    other.write_text('guest.a.ceiling = "1GiB"\n')

    assert [str(one), "Nothing is wrong."] == ballonet("config", "check", str(one)).stdout.splitlines()
    said, _ = two_lines(ballonet("config", "check", str(one), str(other)))
    assert "the floor 2GiB is above the ceiling 1GiB" in said


def test_what_this_host_does_not_have_is_wrong_too(ballonet: Run, file: Path) -> None:
    file.write_text('host.budget = "900 TiB"\n')

    said, _ = two_lines(ballonet("config", "check", "--config", str(file)))

    assert said.startswith(f"{file}:1: host.budget: the budget 900 TiB is more than the host has")


@pytest.mark.parametrize("command", [["config", "check"], ["config", "show"], ["run"]])
def test_a_file_that_is_not_there(ballonet: Run, tmp_path: Path, command: list[str]) -> None:
    result = ballonet("--config", str(tmp_path / "x.toml"), *command)

    assert 2 == result.returncode
    said, _ = two_lines(result)
    assert f"{tmp_path}/x.toml: it cannot be read: No such file or directory" == said


def test_what_guests_ask_for_in_vain_is_said_where_asked_for(
    ballonet: Run, file: Path, tmp_path: Path
) -> None:
    own = """<metadata><b:guest xmlns:b='urn:ballonet:guest:1' floor='100%'/></metadata>"""
    host = tmp_path / "host.xml"
    host.write_text(HOST.replace("<vcpu>", f"{own}<vcpu>", 1))
    with file.open("a") as more:
        more.write('[guest."*"]\nmetadata_floor = "75%"\n')
    words = ("--config", str(file), "-c", f"test://{host}", "config", "check")

    assert 0 == ballonet(*words).returncode
    result = ballonet(*words, "--guests")

    assert 2 == result.returncode
    wrong, hint = two_lines(result)
    assert "metadata of web: floor: 2.00 GiB is outside of what the host allows: it gets 1.50 GiB" == wrong
    assert "ballonet config show --origin GUEST" in hint
    shown = ballonet("--config", str(file), "config", "show", "--origin", "web").stdout
    assert ['guest."*".metadata_floor', '"75%"', f"{file}:15"] in rows(shown)


# --- show -------------------------------------------------------------------------------------------


def test_all_settings_are_shown_with_where_they_are_from(ballonet: Run, file: Path) -> None:
    found = rows(ballonet("--config", str(file), "config", "show", "--origin").stdout)

    assert ["KEY", "VALUE", "ORIGIN"] == found[0]
    assert ["host.budget", '"3GiB"', f"{file}:2"] in found
    assert ["host.reserve", '"128MiB"', f"{file.parent}/conf.d/50-x.toml:2"] in found
    assert ["service.mode", '"observe"', "default"] in found
    assert ["guest.web.manage", "false", f"{file}:9"] in found
    assert ["KEY", "VALUE"] == rows(ballonet("--config", str(file), "config", "show").stdout)[0]


def test_a_guests_settings_are_shown_by_the_table_that_each_is_from(ballonet: Run, file: Path) -> None:
    result = ballonet("--config", str(file), "config", "show", "web", "--origin")

    assert [
        ["KEY", "VALUE", "ORIGIN"],
        ['guest."w*".floor', '"1GiB"', f"{file}:6"],
        ["guest.default.ceiling", '"100%"', "default"],
        ['guest."w*".weight', "400", f"{file}:7"],
        ["guest.web.manage", "false", f"{file}:9"],
        ["guest.default.agent", "false", "default"],
        ["guest.default.metadata_floor", '"100%"', "default"],
    ] == rows(result.stdout)
    assert "give the guest's instead of its name" in result.stderr
    assert "5" in ballonet("--config", str(file), "config", "show", UUID).stdout


def test_settings_as_json(ballonet: Run, file: Path) -> None:
    result = ballonet("--config", str(file), "config", "show", "-o", "json")
    found: dict[str, Any] = json.loads(result.stdout)
    settings = {each["key"]: each for each in found["settings"]}

    assert ("ballonet/v1", None, 2) == (found["schema"], found["guest"], len(found["files"]))
    assert {
        "key": "host.budget",
        "value": "3GiB",
        "value_bytes": 3 << 30,
        "origin": {"file": str(file), "line": 2},
    } == settings["host.budget"]
    assert 86400.0 == settings["service.event_retention"]["value_seconds"]
    assert 0.3 == settings["guest.default.floor"]["value_ratio"]
    assert settings["host.allow_swap"]["value"] is False
    assert settings["host.allow_swap"]["origin"] is None


# --- what explains them -----------------------------------------------------------------------------


def test_the_sample_passes_the_check(ballonet: Run, tmp_path: Path) -> None:
    path = tmp_path / "sample.toml"
    path.write_text(ballonet("config", "sample").stdout)

    assert 0 == ballonet("config", "check", str(path)).returncode


def test_the_schema_is_json(ballonet: Run) -> None:
    assert {"host", "service", "guest"} == set(json.loads(ballonet("config", "schema").stdout)["properties"])


# --- run --------------------------------------------------------------------------------------------


def ran(ballonet: Run, *words: str, env: dict[str, str] | None = None) -> tuple[str, str]:
    result = ballonet(*words, "--for", "100ms", env=env)
    assert 0 == result.returncode, result.stderr
    return result.stdout, result.stderr


def test_it_takes_what_the_files_say(ballonet: Run, host: str, file: Path) -> None:
    told, said = ran(ballonet, "-c", host, "--config", str(file), "run")

    assert "budget 3.00 GiB, reserve 128 MiB" in said
    assert said.startswith("Observing ")
    assert "left alone: excluded by the administrator" in told


def test_its_options_override_the_files(ballonet: Run, host: str, file: Path) -> None:
    file.write_text(file.read_text() + 'mode = "enforce"\n')

    assert ran(ballonet, "-c", host, "--config", str(file), "run")[1].startswith("Balancing ")
    _, said = ran(
        ballonet, "-c", host, "run", "--config", str(file), "--observe", "--budget", "2GiB", "--reserve", "0M"
    )
    assert said.startswith("Observing ")
    assert "budget 2.00 GiB, reserve 0 B" in said


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["--budget", "12"], "--budget: host.budget: size '12' has no unit"),
        (["--floor", "x"], "--floor: guest.default.floor: 'x' is not a size"),
        (["--interval", "9h"], "--interval: service.interval: '9h' is not within 50ms to 1m"),
        (["--budget", "900TiB"], "--budget: host.budget: the budget 900 TiB is more than the host has"),
    ],
)
def test_an_option_that_is_wrong_is_named(ballonet: Run, words: list[str], wrong: str) -> None:
    result = ballonet("run", *words)

    assert 2 == result.returncode
    assert two_lines(result)[0].startswith(wrong)


def test_the_hypervisor_of_the_settings_is_taken_where_nobody_names_another(
    ballonet: Run, host: str, file: Path
) -> None:
    file.write_text(f'{file.read_text()}uri = "{host}"\n')
    from_file = ["--config", str(file), "run"]
    path = "LIBVIRT_DEFAULT_URI"

    assert host in ran(ballonet, *from_file, env={path: ""})[1]
    assert 1 == ballonet(*from_file).returncode  # the environment names one that is not there
    assert host not in ran(ballonet, "-c", "test:///default", *from_file)[1]


def test_metadata_of_a_guest_count_and_what_they_say_in_vain_is_said(ballonet: Run, tmp_path: Path) -> None:
    path = tmp_path / "host.xml"
    wish = '<metadata><b:guest xmlns:b="urn:ballonet:guest:1" weight="400" manage="no"/></metadata>'
    path.write_text(HOST.replace("</uuid>", f"</uuid>{wish}", 1))

    told, said = ran(ballonet, "-c", f"test://{path}", "run")

    assert "web          left alone: excluded by the administrator" in told
    assert "ballonet: metadata of web: weight: 400 is above 100\nhint: " in said
