"""JSON for programs: integer bytes, float seconds, `null` for unknown; fields are only ever added."""

import json

SCHEMA = "ballonet/v1"


def document(*, lines: bool = False, **content: object) -> str:
    """Return a document with its schema's name; on one line where documents follow one another."""
    return json.dumps({"schema": SCHEMA, **content}, indent=None if lines else 2, ensure_ascii=False)
