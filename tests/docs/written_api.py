"""docs/api.md, from the contract of the API: its routes, and what they take and answer."""

import json
from collections.abc import Iterator
from typing import Any

from written import NOTE, page, table

from ballonet.service.api import OPERATIONS
from ballonet.service.openapi import document

HEAD = f"""\
# The API

{NOTE}

HTTP and JSON on the service's unix socket, and over TCP where `web` is on. Programs that are generated take
[openapi.json](openapi.json), which says the same."""
EXAMPLE = """\
```sh
curl --unix-socket /run/ballonet/ballonet.sock http://localhost/v1/status
curl --unix-socket /run/ballonet/ballonet.sock http://localhost/v1/guests/web-1/why
curl --unix-socket /run/ballonet/ballonet.sock -H 'Content-Type: application/json' \\
  -d '{"guest": "web-1", "for_seconds": 3600, "why": "backup"}' http://localhost/v1/pause
```

Sizes are integer bytes (`…_bytes`), durations seconds (`…_seconds`), times RFC 3339 in UTC; `null` is
unknown, never 0. Answers only ever gain fields; a request with a field that is not named here is refused.
Over TCP each change needs the header `Authorization: Bearer TOKEN`, with what `ballonet token` prints. What
goes wrong is answered as [Failure](#failure)."""


def api_page() -> str:
    """Return the page."""
    contract = json.loads(document(OPERATIONS))
    routes = [part for path, methods in contract["paths"].items() for part in _routes(path, methods)]
    schemas = contract["components"]["schemas"]
    models = [part for name, schema in schemas.items() for part in _model(name, schema)]
    return page(HEAD, EXAMPLE, "## Routes", *routes, "## Requests and answers", *models)


def _routes(path: str, methods: dict[str, Any]) -> Iterator[str]:
    for method, route in methods.items():
        yield f"### {method.upper()} {path}"
        yield route["summary"]
        asked = [
            (f"`{each['name']}`", each["in"], _type(each["schema"]), _about(each["schema"]))
            for each in route.get("parameters", [])
        ]
        yield table(("parameter", "in", "type", "what it is"), asked)
        body = route.get("requestBody", {}).get("content", {})
        takes = ", ".join(_type(content["schema"]) for content in body.values())
        answers = route["responses"]["200"]["content"]
        told = ", or ".join(f"{_type(content['schema'])} as `{kind}`" for kind, content in answers.items())
        yield (f"Takes {takes}; a" if takes else "A") + f"nswers {told}."


def _model(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"### {name}"
    yield schema.get("description", "")
    if "enum" in schema:
        yield "One of " + ", ".join(f"`{value}`" for value in schema["enum"]) + "."
    needed = schema.get("required", [])
    fields = [
        (
            f"`{field}`{' (needed)' if name.endswith('Asked') and field in needed else ''}",
            _type(each),
            _about(each),
        )
        for field, each in schema.get("properties", {}).items()
    ]
    yield table(("field", "type", "what it is"), fields)


def _type(schema: dict[str, Any]) -> str:
    """Return what a value may be, models as links."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    for either in ("anyOf", "oneOf", "allOf"):
        if either in schema:
            return " or ".join(dict.fromkeys(_type(each) for each in schema[either]))
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"{_type(schema['additionalProperties'])} by name"
    return f"{kind}, {schema['format']}" if "format" in schema else kind


def _about(schema: dict[str, Any]) -> str:
    """Return what is said of a value, and what is taken where none is given."""
    found = [schema, *schema.get("anyOf", [])]
    told = next((str(each["description"]) for each in found if "description" in each), "")
    default = schema.get("default")
    return "; ".join(
        part for part in (told, f"default `{json.dumps(default)}`" if default is not None else "") if part
    )
