"""What happens, as it happens, to a browser: server-sent events of the whole and of each event."""

from collections.abc import AsyncIterator

from pydantic import BaseModel, ConfigDict, Field

from ballonet.service.facade import Service


class StreamAsked(BaseModel):
    """Where a stream begins."""

    model_config = ConfigDict(extra="forbid")

    after: int | None = Field(
        default=None,
        ge=0,
        description="after the event with this id; null: with what happens from now on. "
        "The header Last-Event-ID goes before",
    )


async def messages(service: Service, after_id: int | None) -> AsyncIterator[str]:
    """Yield server-sent events; what happened has an id, so that a reader that comes again misses none."""
    async for events, overview in service.stream(after_id):
        happened = (f"id: {each.id}\nevent: happened\ndata: {each.model_dump_json()}\n\n" for each in events)
        yield f"{''.join(happened)}event: overview\ndata: {overview.model_dump_json()}\n\n"
