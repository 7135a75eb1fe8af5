"""A settings file that says all defaults and what they mean, each in a comment."""

import textwrap
from typing import Final

from pydantic.fields import FieldInfo

from ballonet.config.model import TABLES, Table, about
from ballonet.config.text import value_text

_WIDTH: Final = 100
_HEAD: Final = """\
# Settings of ballonet: /etc/ballonet/ballonet.toml. Files *.toml in /etc/ballonet/conf.d are read
# after it, by name, and override it key by key. Everything here is the default: remove the # in
# front of what you change. Check it with `ballonet config check`; see what is in force, and from
# where, with `ballonet config show --origin`.
"""
_GUESTS: Final = """\
# Some guests may be unlike the others: by name, by a pattern of names, or by UUID. Of each key the
# most exact table that has it wins.

#[guest."web-*"]
#floor = "1GiB"
#weight = 400

#[guest."build-7"]
#manage = false
"""


def sample() -> str:
    """Return the sample: it can be used as it is, and with any of its keys uncommented."""
    sections = (_section(name, table) for name, table in TABLES.items())
    return "\n".join([_HEAD, *sections, _GUESTS])


def _section(name: str, table: type[Table]) -> str:
    keys = [_key(key, field) for key, field in table.model_fields.items()]
    return "\n".join([f"# {table.__doc__}\n[{name}]\n", *keys])


def _key(key: str, field: FieldInfo) -> str:
    unit, reason = about(field)
    words = f"{field.description} Takes {unit}. {value_text(field.default)} by default: {reason}."
    comment = textwrap.fill(
        words, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )
    return f"{comment}\n#{key} = {value_text(field.default)}\n"
