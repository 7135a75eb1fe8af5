"""`sim replay` as a user runs it."""

import json
from pathlib import Path

import pytest
from running import Run, two_lines

ROW = "{at},u-1,web,1073741824,{actual},{usable},{usable},1020000000,{at}\n"
HEAD = (
    "# ballonet trace 1\n"
    "time,uuid,name,maximum_bytes,actual_bytes,usable_bytes,unused_bytes,available_bytes,statistics_at\n"
)
TRACE = HEAD + "".join(ROW.format(at=at, actual=1 << 30, usable=(600 << 20)) for at in range(1000, 1030, 2))


@pytest.fixture
def trace(tmp_path: Path) -> str:
    path = tmp_path / "trace.csv"
    path.write_text(TRACE)
    return str(path)


def test_policies_stand_beside_what_was_recorded(ballonet: Run, trace: str) -> None:
    words = ("sim", "replay", trace, "--policy", "ballonet", "--budget", "700MiB")
    text = ballonet(*words)
    assert (0, "") == (text.returncode, text.stderr)
    assert ["RECORDED", "BALLONET"] == text.stdout.splitlines()[0].upper().split()
    assert "Demand that was never met is not in the trace." in text.stdout
    document = json.loads(ballonet(*words, "-o", "json").stdout)
    assert ["recorded", "ballonet"] == list(document["outcomes"])
    assert 0 == document["outcomes"]["recorded"]["given_back_bytes"]
    assert document["outcomes"]["ballonet"]["given_back_bytes"] > 300 << 20


def test_a_cut_trace_is_used_with_a_warning(ballonet: Run, trace: str) -> None:
    Path(trace).write_text(TRACE[:-3])
    result = ballonet("sim", "replay", trace, "--policy", "none", "--budget", "700MiB")
    assert 0 == result.returncode
    assert "was cut in line 17" in result.stderr + result.stdout


@pytest.mark.parametrize(
    ("words", "wrong", "hint"),
    [
        (("--policy", "balonet"), "no policy is called 'balonet'", "ballonet"),
        (("--budget", "90%"), "needs the host's memory", "as a size"),
    ],
)
def test_what_is_wrong_is_said_in_two_lines(
    ballonet: Run, trace: str, words: tuple[str, ...], wrong: str, hint: str
) -> None:
    result = ballonet("sim", "replay", trace, *words)
    said, advice = two_lines(result)
    assert 2 == result.returncode
    assert wrong in said
    assert hint in advice


@pytest.mark.parametrize(
    ("before", "after", "wrong", "hint"),
    [
        ("1012,u-1,web,1073741824", "1012,u-1,web,much", ", line 9, column 'maximum_bytes': 'much'", "empty"),
        (
            "usable_bytes",
            "useable_bytes",
            "no column 'usable_bytes', which every policy needs",
            "record it again",
        ),
        ("actual_bytes", "size", ", line 2: there is no column 'actual_bytes'", "run --record FILE"),
        ("# ballonet trace 1", "# ballonet trace 2", ", line 1: version '2'", "this reads 1"),
    ],
)
def test_a_trace_that_makes_no_sense_is_answered_with_the_place(
    ballonet: Run, trace: str, before: str, after: str, wrong: str, hint: str
) -> None:
    Path(trace).write_text(TRACE.replace(before, after))
    result = ballonet("sim", "replay", trace, "--budget", "700MiB")
    said, advice = two_lines(result)
    assert 2 == result.returncode
    assert wrong in said
    assert hint in advice


def test_a_file_that_is_not_there(ballonet: Run, tmp_path: Path) -> None:
    result = ballonet("sim", "replay", str(tmp_path / "none.csv"))
    assert 2 == result.returncode
    assert "No such file" in two_lines(result)[0]
