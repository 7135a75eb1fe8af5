"""Findings for people: each once, with all whom it is about, and remedies that can be pasted."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from ballonet.policy.diagnose import Finding
from ballonet.policy.findings import Severity
from ballonet.show.table import pairs

_TITLE_WIDTH = len("problem")
_COUNTED = {
    Severity.PROBLEM: ("problem", "problems"),
    Severity.WARNING: ("warning", "warnings"),
    Severity.ADVICE: ("piece of advice", "pieces of advice"),
}


def findings_text(findings: Sequence[Finding], columns: int | None = None) -> str:
    """Return the findings in paragraphs wrapped to so many columns; remedies are never wrapped."""
    if not findings:
        return "Nothing keeps ballooning from working, as far as can be seen from here."
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.code, finding.what), []).append(finding)
    return "\n\n".join([*(_paragraph(group, columns) for group in groups.values()), _counts(findings)])


def finding_fields(finding: Finding) -> dict[str, Any]:
    """Return the fields of a finding for programs."""
    return {**asdict(finding), "uuid": finding.uuid or None, "remedy": finding.remedy or None}


def _paragraph(group: Sequence[Finding], columns: int | None) -> str:
    """Return what was found, the same for one or several subjects."""
    first = group[0]
    subjects = ", ".join(finding.subject for finding in group)
    texts = [(first.severity.value, f"{subjects}: {first.what}"), ("why", first.why)]
    remedies = dict.fromkeys(finding.remedy for finding in group if finding.remedy)
    titles = ["remedy", *[""] * len(remedies)]
    parts = [pairs(_aligned(texts), columns), pairs(_aligned(zip(titles, remedies, strict=False)))]
    return "\n".join(part for part in parts if part)


def _aligned(rows: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(title.ljust(_TITLE_WIDTH), text) for title, text in rows]


def _counts(findings: Sequence[Finding]) -> str:
    """Return how many findings of each severity there are: "1 problem, 2 warnings."."""
    counts = Counter(finding.severity for finding in findings)
    words = [f"{counts[each]} {_COUNTED[each][counts[each] > 1]}" for each in Severity if counts[each]]
    return f"{', '.join(words)}."
