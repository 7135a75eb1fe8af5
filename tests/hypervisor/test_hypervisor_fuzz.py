"""What libvirt may answer, and what it would never: made into rows without a fault, or a guest's own loss."""

import math
from typing import Any

from fuzzing import fuzzed, numbers, well_said
from hypothesis import given
from hypothesis import strategies as st
from test_hypervisor_rows import BALLOON, Domain

from ballonet.engine.table import side_by_side
from ballonet.errors import HypervisorError
from ballonet.facts.guest import Guest
from ballonet.hypervisor.libvirt.definition import read_definition
from ballonet.hypervisor.libvirt.rows import from_record, job
from ballonet.hypervisor.readings import statistics_of

KEYS = (
    *BALLOON,
    *(f"balloon.{name}" for name in ("unused", "available", "swap_in", "swap_out", "major_fault")),
    *("balloon.disk_caches", "block.count", "block.0.rd.reqs", "block.0.rd.times", "block.1.rd.reqs"),
    *("vcpu.current", "vcpu.maximum", "vcpu.0.time", "vcpu.7.time"),
)
records = st.dictionaries(
    st.sampled_from(KEYS) | st.text(), numbers | numbers | st.floats() | st.text() | st.none() | st.booleans()
)
DEFINITION = read_definition("<domain><memory unit='KiB'>4096</memory><devices/></domain>")


def row(record: dict[str, Any], last: Guest | None) -> Guest:
    return from_record(Domain(), record, DEFINITION, last, 101.5)


def is_fact(value: object) -> bool:
    """Return whether something is a number that can be decided on, or unknown."""
    return value is None or (isinstance(value, int | float) and math.isfinite(value) and value >= 0)


@fuzzed
@given(records, records)
def test_any_record_is_a_row_whose_numbers_are_numbers_or_unknown(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    before = row({**BALLOON, **first}, None)
    found = row(second, before)

    sample = found.statistics
    values = [getattr(sample, name) for name in sample.__slots__]
    values += [found.maximum_bytes, found.actual_bytes, found.disk_reads_total, found.vcpus]
    values += [found.disk_read_seconds_total, found.vcpu_seconds_total]
    assert [] == [value for value in values if not is_fact(value)]
    side_by_side([found])


@fuzzed
@given(
    st.dictionaries(st.sampled_from([*KEYS, "unused_bytes", "usable_bytes"]), numbers), st.none() | numbers
)
def test_any_sample_has_no_size_beyond_the_guests(values: dict[str, int], maximum: int | None) -> None:
    known = {key: value for key, value in values.items() if key.endswith("_bytes")}

    found = statistics_of(known, maximum)

    for size in (found.unused_bytes, found.usable_bytes):
        assert is_fact(size)
        assert size is None or maximum is None or size <= maximum * 1.1


@fuzzed
@given(numbers | st.none() | st.text())
def test_any_job_has_a_word(operation: object) -> None:
    class Held:
        def jobStats(self) -> dict[str, object]:  # noqa: N802 - libvirt's
            return {"operation": operation}

    assert job(Held())


words = st.sampled_from(["KiB", "b", "EiB", "parsec", "", "\N{KELVIN SIGN}", "bytes"]) | st.text(max_size=5)
sizes = st.sampled_from(["4096", "0", "-1", "1e9", "\N{SUPERSCRIPT TWO}", " 7 ", "9" * 30]) | st.text(
    max_size=8
)


def escaped(text: str) -> str:
    return "".join(f"&#{ord(letter)};" for letter in text)


@st.composite
def domains(draw: st.DrawFn) -> str:
    """Return the XML of a domain with nonsense where sizes, periods and models stand."""
    size, unit, period, model = (escaped(draw(each)) for each in (sizes, words, sizes, words))
    more = draw(st.sampled_from(["", "<currentMemory/>", "<currentMemory unit='MiB'>1</currentMemory>"]))
    return (
        f"<domain><memory unit='{unit}'>{size}</memory>{more}<devices>"
        f"<memballoon model='{model}'><stats period='{period}'/></memballoon></devices></domain>"
    )


@fuzzed
@given(domains() | st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_xml_is_a_definition_or_refused_as_such(xml: str) -> None:
    try:
        found = read_definition(xml)
    except HypervisorError as error:
        well_said(error)
    else:
        assert 0 <= found.current_bytes < 2**63
        assert 0 <= found.maximum_bytes < 2**63
        assert found.device is None or 0 <= found.device.period_seconds
