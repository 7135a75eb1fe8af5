"""The tables of docs/metrics.md, from what a service serves; marks there say which metrics each holds."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families
from written import table

MARK = re.compile(r"(<!-- metrics: (?P<of>[^\n]+) -->\n)(.*?)(<!-- end -->\n)", re.DOTALL)
LEFT_OUT = {"domain", "uuid", "le"}  # each guest's own, and what a histogram is made of


class Told(NamedTuple):
    """A metric as it is served."""

    name: str
    kind: str
    labels: tuple[str, ...]
    about: str


def families(served: str) -> Iterator[Told]:
    """Yield all metrics of a text, in its order, their names as they are asked for."""
    said = re.findall(r"^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)", served, re.MULTILINE)
    for (name, about, kind), family in zip(said, text_string_to_metric_families(served), strict=True):
        labels = sorted({label for sample in family.samples for label in sample.labels} - LEFT_OUT)
        yield Told(name, kind, tuple(labels), about.removesuffix("."))


def with_tables(text: str, served: str) -> str:
    """Return the page with the rows of each table as they are served."""
    found = list(families(served))

    def tabled(match: re.Match[str]) -> str:
        told = [each for each in found if re.search(match["of"], each.name)]
        return f"{match[1]}\n{_table(told)}\n\n{match[4]}"

    return MARK.sub(tabled, text)


def _table(told: list[Told]) -> str:
    rows = [
        (f"`{each.name}`", each.kind, ", ".join(f"`{label}`" for label in each.labels), each.about)
        for each in told
    ]
    return table(("metric", "type", "labels", "what it is"), rows)
