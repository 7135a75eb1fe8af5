"""JSON for programs: integer bytes, float seconds, `null` for unknown; fields are only ever added."""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # who prints other documents does without pydantic
    from ballonet.service.models import Answer

SCHEMA = "ballonet/v1"


def document(*, lines: bool = False, **content: object) -> str:
    """Return a document with its schema's name; on one line where documents follow one another."""
    return json.dumps({"schema": SCHEMA, **content}, indent=None if lines else 2, ensure_ascii=False)


def answer(found: "Answer", *, lines: bool = False) -> str:
    """Return the document of what the service said."""
    return document(lines=lines, **found.model_dump(mode="json"))
