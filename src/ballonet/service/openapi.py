"""The contract: docs/openapi.json, written from the API's table of routes and its models."""

import json
import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from ballonet import __version__
from ballonet.service.models import Failure, Readiness
from ballonet.service.operation import JSON, LINES, STREAM, Operation

_DESCRIPTION = """The service's API, on its unix socket:
curl --unix-socket /run/ballonet/ballonet.sock http://localhost/v1/status

`ballonet run --web 127.0.0.1:9779` serves it over TCP, too, where every change needs the header
`Authorization: Bearer TOKEN` with what `ballonet token` prints. Metrics for Prometheus: GET /metrics.

Sizes are integer bytes (`…_bytes`), durations seconds (`…_seconds`), times RFC 3339 in UTC; `null` is
unknown, never 0. Answers only ever gain fields; requests with a field that is not named here are refused."""

_NAME = {"type": "string", "minLength": 1, "maxLength": 256}


def document(operations: Sequence[Operation]) -> str:
    """Return the contract as JSON."""
    contract = {
        "openapi": "3.1.0",
        "info": {"title": "ballonet", "version": __version__, "description": _DESCRIPTION},
        "paths": _paths(operations),
        "components": {"schemas": _schemas(operations)},
    }
    return json.dumps(contract, indent=2, ensure_ascii=False) + "\n"


def _schemas(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the schema of every model that a route takes or answers."""
    told: list[type[BaseModel]] = [Failure]
    told += [model for each in operations for model in (each.answer, each.lines) if model is not None]
    told += [model for each in operations for model in (each.streamed or {}).values()]
    taken: list[type[BaseModel]] = []
    taken += [model for each in operations for model in (each.body, each.query) if model is not None]
    _, schemas = models_json_schema(
        [
            *((model, "serialization") for model in told),
            *((model, "validation") for model in taken),
        ],
        ref_template="#/components/schemas/{model}",
    )
    return dict(sorted(schemas["$defs"].items()))


def _paths(operations: Sequence[Operation]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for each in operations:
        path = re.sub(r":\w+}", "}", each.path)
        paths.setdefault(path, {})[each.method.lower()] = _operation(each, path)
    return paths


def _operation(operation: Operation, path: str) -> dict[str, Any]:
    content = {JSON: _content(operation.answer)}
    if operation.lines:
        content[LINES] = _content(operation.lines)
    if operation.streamed:
        names = " and ".join(f"`{name}`" for name in operation.streamed)
        data = [_content(model)["schema"] for model in operation.streamed.values()]
        content = {STREAM: {"schema": {"oneOf": data, "description": f"the data of {names}"}}}
    described: dict[str, Any] = {
        "summary": operation.about,
        "responses": {
            "200": {"description": "Done", "content": content},
            "default": {"description": "What went wrong", "content": {JSON: _content(Failure)}},
        },
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _NAME}
        for name in re.findall(r"{(\w+)}", path)
    ]
    if operation.query:
        schema = operation.query.model_json_schema(ref_template="#/components/schemas/{model}")
        parameters += [
            {"name": name, "in": "query", "required": False, "schema": field}
            for name, field in schema["properties"].items()
        ]
    if parameters:
        described["parameters"] = parameters
    if operation.body:
        described["requestBody"] = {"required": True, "content": {JSON: _content(operation.body)}}
    if operation.answer is Readiness:  # where too many are connected it does not come to say so
        either = {"anyOf": [_content(model)["schema"] for model in (Readiness, Failure)]}
        described["responses"]["503"] = {"description": "It is not", "content": {JSON: {"schema": either}}}
    return described


def _content(model: type[Any]) -> dict[str, Any]:
    return {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}
