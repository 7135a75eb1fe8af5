"""The JSON Schema of a settings file, for editors that check TOML by one."""

from pydantic.json_schema import GenerateJsonSchema

from ballonet.config.model import Settings
from ballonet.config.values import Seconds, Share, Size


class _AsWritten(GenerateJsonSchema):
    """Defaults stand in a schema as they would in a file."""

    def encode_default(self, dft: object) -> object:
        return str(dft) if isinstance(dft, Size | Share | Seconds) else super().encode_default(dft)


def schema() -> dict[str, object]:
    """Return the schema; `x-unit` and `x-reason` say a setting's unit and why its default is what it is."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Settings of ballonet"}
    return {**Settings.model_json_schema(schema_generator=_AsWritten), **head}
