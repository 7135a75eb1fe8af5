"""The contract held against the service: made-up requests that openapi.json allows, or forbids."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fuzzing import fuzzed
from hosted import USES, Hosted, hosted
from hypothesis import assume, given
from hypothesis import strategies as st
from schemathesis.checks import CHECKS
from schemathesis.generation import GenerationMode

from ballonet.engine.act import PAGE
from ballonet.policy.floors import floor_bytes
from ballonet.units import GIB

STREAM = "/v1/stream"  # it has no end
FOLLOWS = {"1", "on", "t", "true", "y", "yes"}  # what asks for events that have none, either
DOTS = {".", ".."}  # clients take them for steps in a path, as RFC 3986 has it, and ask for another one
CONTRACT = Path(__file__).parents[2] / "docs" / "openapi.json"
SCHEMA: Any = schemathesis.openapi.from_dict(json.loads(CONTRACT.read_text()))
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]
cases: st.SearchStrategy[Any] = st.one_of(
    [
        each.as_strategy(generation_mode=mode)
        for each in OPERATIONS
        for mode in GenerationMode
        if each.path != STREAM
    ]
)
HELD = ["response_schema_conformance", "status_code_conformance", "content_type_conformance"]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    with hosted(tmp_path_factory.mktemp("api") / "run" / "ballonet.sock", web=True) as found:
        yield found


@fuzzed
@given(cases)
def test_every_answer_is_of_the_contract_and_no_guest_leaves_its_limits(service: Hosted, case: Any) -> None:
    assume(str((case.query or {}).get("follow", "")).lower() not in FOLLOWS)
    assume(DOTS.isdisjoint(map(str, (case.path_parameters or {}).values())))
    token = json.loads(service.ask("GET", "/v1/token")[1])["token"]
    assert service.web is not None

    answer = case.call(base_url=f"http://{service.web.address}", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code < 500 or answer.status_code in {503, 504}
    if answer.status_code >= 400:
        assert {"error", "hint", "exit_code"} == set(answer.json())
        assert answer.json()["hint"]
    case.validate_response(answer, checks=CHECKS.get_by_names(HELD))
    assert all(floor_bytes(GIB) - PAGE <= service.size(name) <= GIB for name in USES)
