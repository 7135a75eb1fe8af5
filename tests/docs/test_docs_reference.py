"""The pages of reference say what the code says. Else, or where it says something new: script/reference."""

import pytest
from hosted import Hosted
from written import held, kept
from written_api import api_page
from written_commands import MEANINGS, all_errors, commands_page
from written_metrics import with_tables
from written_statistics import statistics_page

from ballonet.config.reference import reference
from ballonet.service.api import OPERATIONS
from ballonet.service.openapi import document


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have help be as wide, and without colours, wherever this runs."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")


def test_the_page_about_commands_has_every_command_and_option() -> None:
    assert commands_page() == held("commands.md", commands_page())


def test_every_exit_code_is_explained() -> None:
    assert {0} | {kind.exit_code for kind in all_errors()} == set(MEANINGS)


def test_the_page_about_settings_has_every_setting() -> None:
    assert reference() == held("settings.md", reference())


def test_the_page_about_statistics_has_every_name() -> None:
    assert statistics_page() == held("statistics.md", statistics_page())


def test_the_page_about_the_api_has_every_route_and_field() -> None:
    assert api_page() == held("api.md", api_page())


def test_the_contract_is_that_of_the_routes() -> None:
    assert document(OPERATIONS) == held("openapi.json", document(OPERATIONS))


def test_the_page_about_metrics_has_the_tables_of_what_is_served(service: Hosted) -> None:
    service.service.compat_metrics = True
    served = service.ask("GET", "/metrics")[1].decode()
    written = with_tables(kept("metrics.md").read_text(), served)
    assert written == held("metrics.md", written)
