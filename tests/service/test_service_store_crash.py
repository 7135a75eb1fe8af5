"""What was durable is there after a crash, and what was half written is not."""

import random
import time
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import act, program

from ballonet.facts.act import ActRecord
from ballonet.facts.happening import Kind
from ballonet.service.events import Question
from ballonet.service.store import FILE, Store

WEB = "uuid-web"
KILLS = 30

WRITER = """
from ballonet.facts.act import Act, Outcome
from ballonet.facts.happening import Happening, Kind
from ballonet.facts.request import Hold

store, uuid, number = Store(directory), input(), 0
while True:
    acts = [Act(1.0, uuid, "web", 1, number, "planned"), Act(1.0, "other", "db", 1, 2, "burst")]
    store.before(acts)
    print(number, flush=True)
    number += 1
    store.settle(uuid, 1.0, Outcome.REACHED, number)
    store.tell(Happening(1.0, Kind.CAME, "web", uuid))
    store.keep(Hold(uuid, uuid, "web", 1.0, None, "root", str(number)))
    store.prune(1.0)
"""


def test_a_killed_process_has_written_all_that_it_said_it_had(tmp_path: Path) -> None:
    moments = random.Random(1)
    for round_ in range(KILLS):
        uuid = f"uuid-{round_}"
        writer = program(WRITER, tmp_path)
        assert writer.stdin
        assert writer.stdout
        assert writer.stderr
        writer.stdin.write(f"{uuid}\n")
        writer.stdin.flush()
        first = writer.stdout.readline()
        time.sleep(moments.uniform(0.0, 0.05))
        writer.kill()
        # Not `communicate`, which passes over what `readline` has read ahead.
        said, failed = writer.stdout.read(), writer.stderr.read()
        writer.communicate()
        assert "" == failed
        # The last line may be torn as well: the process ended in the middle of it.
        numbers = [int(line) for line in (first + said).splitlines(keepends=True) if line.endswith("\n")]

        with closing(Store(tmp_path)) as store:
            assert store.damaged is None
            written = [record.act.to_bytes for record in store.acts(uuid, limit=10**6)]
            assert numbers == written[: len(numbers)]
            assert list(range(len(written))) == written
            assert {Kind.CAME.value} >= {record.kind for record in store.events(Question(uuid=uuid))}
            assert len(store.holds()) in {round_, round_ + 1}


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes, list[int]]:
    """Return a file and its log as a crash leaves them, and how long the log was after each of ten acts."""
    directory = tmp_path_factory.mktemp("crashed")
    with closing(Store(directory)) as store:
        log, ends = directory / f"{FILE}-wal", []
        store.before([])
        ends.append(log.stat().st_size)
        for number in range(10):
            store.before([act(number)])
            ends.append(log.stat().st_size)
        return (directory / FILE).read_bytes(), log.read_bytes(), ends


@settings(max_examples=60)
@given(data=st.data(), cut=st.booleans())
def test_a_torn_record_is_ignored_and_all_before_it_is_there(
    crashed: tuple[bytes, bytes, list[int]],
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
    cut: bool,  # noqa: FBT001
) -> None:
    file, log, ends = crashed
    where = data.draw(st.integers(ends[0], len(log) - 1))
    directory = tmp_path_factory.mktemp("torn")
    torn = log[:where] if cut else log[:where] + bytes([log[where] ^ 0xFF]) + log[where + 1 :]
    (directory / FILE).write_bytes(file)
    (directory / f"{FILE}-wal").write_bytes(torn)

    with closing(Store(directory)) as store:
        assert store.damaged is None
        whole = [ActRecord(act(number)) for number, end in enumerate(ends[1:]) if end <= where]
        assert whole == store.acts(WEB)
        store.before([act(99)])
        assert [*whole, ActRecord(act(99))] == store.acts(WEB)
