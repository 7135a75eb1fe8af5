"""Answers that no service gives: understood, or said to be none."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from fuzzing import fuzzed, well_said
from hypothesis import given
from hypothesis import strategies as st

from ballonet.errors import BallonetError
from ballonet.service.client import Client
from ballonet.service.models import Failure, Status

FAILURE = Failure(error="no", hint="go", exit_code=5).model_dump_json().encode()
bodies = (
    st.sampled_from([b"{}", b"", b"[" * 10_000, FAILURE, b'{"error": 1, "exit_code": 1e99}']) | st.binary()
)
heads = st.builds(
    "{} {} X\r\nContent-Length: {}\r\n{}\r\n\r\n".format,
    st.sampled_from(["HTTP/1.1", "HTTP/9.9", "ICY", ""]),
    st.sampled_from(["200", "404", "500", "99", "abc", "100", "301"]),
    st.sampled_from(["2", "-1", "x", "1000", "0"]),
    st.sampled_from(["A: b", "Transfer-Encoding: chunked", "X" * 300, "\x00: \xff"]),
).map(lambda text: text.encode("latin-1"))


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path_factory.mktemp("s") / "s"))
        listening.listen()
        yield listening


@fuzzed
@given(heads | st.binary(), bodies, st.sampled_from(["get", "post", "delete", "follow"]))
def test_any_answer_is_understood_or_said_to_be_none(
    listener: socket.socket, head: bytes, body: bytes, how: str
) -> None:
    def answer() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(head + body)

    answering = threading.Thread(target=answer)
    answering.start()
    client = Client(Path(listener.getsockname()))
    try:
        if how == "follow":
            list(client.follow({}))
        elif how == "delete":
            client.delete(Status, "/v1/status")
        else:
            client.get(Status, "/v1/status")
    except BallonetError as error:
        well_said(error)
    answering.join()
