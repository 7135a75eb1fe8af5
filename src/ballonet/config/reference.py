"""The pages about all settings, docs/settings.md and ballonet.toml(5), written from the models."""

import re
from typing import Final

from pydantic.fields import FieldInfo

from ballonet.config.metadata import NAMESPACE
from ballonet.config.model import TABLES, Table, about
from ballonet.config.text import value_text

_HEAD: Final = """\
# Settings

<!-- Written by script/reference. -->
"""
_MANUAL_HEAD: Final = """\
# NAME

ballonet.toml - settings of ballonet

# DESCRIPTION
"""
_ABOUT: Final = """\
Three knobs a guest, two a host; all else has a default that serves. Without any file all defaults apply.

```sh
ballonet config sample > /etc/ballonet/ballonet.toml   # all settings and what they mean, in comments
ballonet config check                                  # what is wrong, with file, line, key and remedy
ballonet config show --origin                          # what is in force, and where each value is from
ballonet config show --origin web-3                    # what the guest web-3 gets
ballonet config schema                                 # for editors that check TOML by a JSON Schema
```

```toml
[host]
budget = "90%"
reserve = "1 GiB"

[guest.default]
floor = "25%"

[guest."web-*"]
floor = "1 GiB"
weight = 400

[guest."build-7"]
manage = false
```

Sizes have units (`1500M`, `1.5 GiB`, `2GB`), as durations do (`500ms`, `2s`, `2h30m`); both stand in
quotes. A bare number is refused: it means KiB in virsh, bytes in QMP and MiB in Proxmox. So is a key that
nobody knows. Settings are used whole or not at all: with one that is wrong nothing starts, and every one
that is wrong is named.

## Files

Read in this order, so that what comes later overrides what came before, key by key:

1. `/etc/ballonet/ballonet.toml`, or without it `/usr/lib/ballonet/ballonet.toml`
2. `*.toml` of `/usr/lib/ballonet/conf.d`, `/run/ballonet.conf.d` and `/etc/ballonet/conf.d`, all together
   by name. Of two with the same name the one in `/etc` is read, then the one in `/run`; a link to
   `/dev/null` only hides the other.
3. options of the command line

`ballonet --config FILE` (or `$BALLONET_CONFIG`) reads FILE and `conf.d/*.toml` beside it instead.
"""
_GUESTS: Final = """\
The name of a table is a guest's UUID, its name, or a pattern as in a shell: `*`, `?`, `[abc]`. Of each key
the most exact table that has it wins: the UUID, then the exact name, then the pattern with most characters
that stand for themselves (of two alike the last), then `[guest.default]`. In `config show` a guest is
looked up by the word that is given, and nobody is asked for its UUID.

A floor above the ceiling is refused where both can be compared; a size and a share can only for a guest
whose maximum is known, and then the ceiling holds.
"""
_METADATA: Final = f"""\
## Metadata: settings that travel with a guest

The same keys, but `metadata_floor`, can stand in a guest's definition, as attributes of one element of the
namespace `{NAMESPACE}`:

```sh
virsh metadata web {NAMESPACE} --key ballonet --set '<guest floor="2 GiB" weight="50"/>' --live --config
```

```xml
<metadata>
  <ballonet:guest xmlns:ballonet="{NAMESPACE}" floor="2 GiB" weight="50" manage="no"/>
</metadata>
```

Whoever defines a guest need not be who runs the host, so metadata may only tighten what the files allow:
raise the floor up to the ceiling, lower the ceiling down to the floor, lower the weight, exclude the
guest, and keep its agent from being asked (`agent="no"`). What would loosen that is left out, and said;
what cannot be understood costs that guest its metadata, and no other guest anything. A change is seen
within a minute.

A guest whose floor is its maximum, or that is excluded, keeps all that it has. `metadata_floor` says
how far a guest's metadata may go there: with `"50%"` under `[guest.default]` no guest can ask to keep
more than half of its maximum, or to be excluded, unless a table of its own lets it; with `"1%"`
metadata keep nothing beyond the 256 MiB that any share comes to. `ballonet config check --guests` says
what guests ask for in vain. Whoever may define a guest can still leave out its balloon or lock its
memory: `ballonet doctor` says where that is so.
"""
_MANUAL_END: Final = """\
## See also

ballonet(1)
"""


def reference() -> str:
    """Return the page, as Markdown."""
    *tables, guests = (_section(name, table) for name, table in TABLES.items())
    return "\n".join([_HEAD, _ABOUT, *tables, guests, _GUESTS, _METADATA]).rstrip() + "\n"


def manual() -> str:
    """Return the same as Markdown for a manual page: its headings in capitals, a paragraph a key."""
    *tables, guests = (_definitions(name, table) for name, table in TABLES.items())
    text = "\n".join([_MANUAL_HEAD, _ABOUT, *tables, guests, _GUESTS, _METADATA, _MANUAL_END])
    return re.sub(r"^## (?:(\[.*)|(.*))", _heading, text, flags=re.MULTILINE)


def _heading(found: re.Match[str]) -> str:
    return f"# {found[1] or found[2].upper()}"


def _definitions(name: str, table: type[Table]) -> str:
    keys = "\n".join(
        f"`{key}` = `{value_text(field.default)}`\n\n:   Takes {about(field)[0]}. {_meaning(field)}\n"
        for key, field in table.model_fields.items()
    )
    return f"## [{name}]\n\n{table.__doc__}\n\n{keys}"


def _section(name: str, table: type[Table]) -> str:
    rows = "\n".join(_row(key, field) for key, field in table.model_fields.items())
    head = "| key | takes | default | what it is |\n|---|---|---|---|"
    return f"## `[{name}]`\n\n{table.__doc__}\n\n{head}\n{rows}\n"


def _row(key: str, field: FieldInfo) -> str:
    return f"| `{key}` | {about(field)[0]} | `{value_text(field.default)}` | {_meaning(field)} |"


def _meaning(field: FieldInfo) -> str:
    reason = about(field)[1]
    return f"{field.description} *{reason[:1].upper()}{reason[1:]}.*"
