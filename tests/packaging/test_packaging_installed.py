"""The Debian package on a host with a real systemd and libvirtd: installed, upgraded, removed and purged."""

import json
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from built import Built
from rooted import Host, answers, shown, skip_without_root, status, until
from stored import VERSION_1

from ballonet import __version__
from ballonet.extras import DOCUMENT
from ballonet.service.schema import MIGRATIONS
from ballonet.units import MIB

pytestmark = pytest.mark.real

SETTINGS = "/etc/ballonet/ballonet.toml"
STATE = "/var/lib/ballonet"
WEB = "6d1e5f0a-0c4b-4f5e-9d5a-2f6f0a3c1b77"
GUEST = f"""<domain type="qemu">
<name>web-1</name><uuid>{WEB}</uuid><memory unit="MiB">256</memory><os><type>hvm</type></os>
</domain>"""
GROWTH = 12345678.0
# What an older service wrote down of that guest, beside what is in VERSION_1 of one that is gone. All is of
# now, as what is older than the retention is forgotten.
WRITTEN = f"""
    {VERSION_1}
    UPDATE acts SET at = unixepoch();
    UPDATE events SET at = unixepoch();
    UPDATE learned SET at = unixepoch();
    UPDATE leases SET until = unixepoch() + 86400;
    INSERT INTO acts (at, uuid, name, from_bytes, to_bytes, cause, outcome)
        VALUES (unixepoch() - 3600, '{WEB}', 'web-1', {256 * MIB}, {200 * MIB}, 'planned', 'reached');
    INSERT INTO learned VALUES ('{WEB}', unixepoch(), '{{"growth":{GROWTH}}}');
"""
# What follows `ballonet show w`, asked of each shell in its own way; zsh completes in a terminal only.
ASKED = {
    "bash": """. /usr/share/bash-completion/bash_completion; _completion_loader ballonet
        COMP_WORDS=(ballonet show w); COMP_CWORD=2; _ballonet_completion ballonet; echo ${COMPREPLY[@]}""",
    "fish": "complete -C 'ballonet show w'",
    "zsh": """zmodload zsh/zpty; zpty it zsh -f -i
        zpty -w it 'autoload -Uz compinit; compinit -u; bindkey "^I" list-choices; echo rea""dy'
        zpty -r it line '*ready*'; zpty -n -w it $'ballonet show w\t'
        zpty -r it line '*web-1*'; echo $line""",
}
PATH = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"


class Bare(Host):
    """A host on which no ballonet was ever installed, with the package of this checkout and one before it."""

    def __init__(self, place: Path, built: Built) -> None:
        super().__init__(place, bare=True)
        self.deb = Path(shutil.copy(built.deb, place))
        self.older = older(self.deb)
        self.write("/root/guest.xml", GUEST)

    def install(self, deb: Path) -> str:
        """Install a package as an administrator does who keeps the settings that are there."""
        keep = ("-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold")
        words = ("apt-get", "-qy", *keep, "--no-install-recommends", "--allow-downgrades", "install", deb)
        return self.does("env", PATH, "DEBIAN_FRONTEND=noninteractive", *map(str, words), seconds=180.0)

    def dpkg(self, *words: str) -> str:
        return self.does("env", PATH, "dpkg", *words, seconds=120.0)

    def has(self, path: str) -> bool:
        return 0 == self.runs("test", "-e", path).returncode


def older(deb: Path) -> Path:
    """Return a package of a lower version: of the first files, and with other words in its settings."""
    tree = deb.with_suffix("")
    subprocess.run(["dpkg-deb", "-R", deb, tree], check=True)
    control = tree / "DEBIAN" / "control"
    control.write_text(control.read_text().replace(f"Version: {__version__}-1", "Version: 0.0.1-1"))
    with (tree / SETTINGS.lstrip("/")).open("a") as settings:
        settings.write("# As it was in 0.0.1.\n")
    (schema,) = tree.glob("usr/lib/ballonet/lib/*/site-packages/ballonet/service/schema.py")
    with schema.open("a") as file:
        file.write("MIGRATIONS = MIGRATIONS[:1]\n")
    made = deb.with_name("older.deb")
    subprocess.run(["dpkg-deb", "-Znone", "-b", tree, made], check=True, capture_output=True)
    shutil.rmtree(tree)
    return made


@pytest.fixture(scope="module")
def host(built: Built) -> Iterator[Bare]:
    """Boot a host with libvirt, and a guest that is off."""
    skip_without_root()
    with tempfile.TemporaryDirectory(prefix="sd-") as place:
        host = Bare(Path(place), built)
        try:
            host.start()
            host.does("systemctl", "start", "libvirtd.socket")
            host.does("virsh", "-c", "qemu:///system", "define", "/root/guest.xml")
            yield host
        finally:
            host.stop()


@pytest.fixture
def installed(host: Bare) -> Bare:
    """Return the host with the package installed, and its service answering."""
    if not host.has("/usr/bin/ballonet"):
        host.install(host.deb)
    host.does("systemctl", "start", "ballonet")
    until(lambda: answers(host), host)
    return host


def state(host: Bare, name: str) -> Path:
    """Return a copy of the files that outlive the service, which is stopped for it."""
    host.does("systemctl", "stop", "ballonet")
    host.does("cp", "-r", STATE, f"{host.place}/{name}")
    return host.place / name / "state.sqlite"


def version(file: Path) -> int:
    with closing(sqlite3.connect(file)) as read:
        found: int = read.execute("PRAGMA user_version").fetchone()[0]
        return found


def test_an_upgrade_keeps_settings_journal_and_what_was_learned(host: Bare) -> None:
    """First, so that what it installs serves the tests below."""
    host.dpkg("--purge", "ballonet")
    host.install(host.older)
    until(lambda: answers(host), host)
    assert 1 == version(state(host, "older"))
    with closing(sqlite3.connect(host.place / "state.sqlite")) as made:
        made.executescript(WRITTEN)
    host.does("sh", "-c", f"rm {STATE}/state.sqlite*")
    host.does("install", "-o", "ballonet", "-m", "600", f"{host.place}/state.sqlite", STATE)
    host.does("sed", "-i", 's/^#budget = .*/budget = "50%"/', SETTINGS)
    host.does("systemctl", "start", "ballonet")
    until(lambda: answers(host), host)
    host.does("ballonet", "make-room", "2MiB", "--hold", "1h")
    before = shown(host, "MainPID")

    said = host.install(host.deb)

    until(lambda: answers(host), host)
    assert before != shown(host, "MainPID"), said
    assert 'budget = "50%"' in host.does("cat", SETTINGS).splitlines()
    assert host.has(f"{SETTINGS}.dpkg-dist")
    assert ["a try"] == [hold["why"] for hold in status(host)["holds"]]
    assert {MIB, 2 * MIB} == {lease["size_bytes"] for lease in status(host)["leases"]}
    assert "is here" in host.does("ballonet", "events")
    host.does("virsh", "-c", "qemu:///system", "start", "web-1")
    until(lambda: 0 == host.runs("ballonet", "why", "web-1").returncode, host)
    assert (
        GROWTH
        == json.loads(host.does("ballonet", "why", "web-1", "-o", "json"))["learned"][
            "growth_bytes_per_second"
        ]
    )
    host.does("virsh", "-c", "qemu:///system", "destroy", "web-1")
    with closing(sqlite3.connect(state(host, "newer"))) as kept:
        assert [("uuid-web", '{"growth":5.0}')] == kept.execute(
            "SELECT uuid, numbers FROM learned WHERE uuid IS NOT ?", (WEB,)
        ).fetchall()
        # What it has now is not what the older one told it.
        assert [("uuid-web", 7), (WEB, 200 * MIB), (WEB, 256 * MIB)] == kept.execute(
            "SELECT uuid, to_bytes FROM acts ORDER BY id"
        ).fetchall()
    assert len(MIGRATIONS) == version(host.place / "newer" / "state.sqlite")


def test_going_back_to_an_older_version_is_said_and_changes_nothing(installed: Bare) -> None:
    before = state(installed, "before")
    try:
        installed.install(installed.older)
        until(lambda: answers(installed), installed)
        assert "observe" == status(installed)["mode"]
        said = installed.does("journalctl", "-u", "ballonet", "--no-pager")
        assert f"is from a newer ballonet: its version is {len(MIGRATIONS)}, this one knows 1" in said
        assert f"hint: install that ballonet again, or begin anew: mv {STATE} {STATE}.newer" in said
        assert before.read_bytes() == state(installed, "after").read_bytes()
    finally:
        installed.install(installed.deb)


def test_it_is_what_was_built_and_whole(installed: Bare) -> None:
    assert f"ballonet {__version__}\n" == installed.does("ballonet", "--version")
    changed = installed.dpkg("--verify", "ballonet").splitlines()
    assert [] == [line for line in changed if not line.endswith(SETTINGS)]
    assert installed.does("find", "/usr/lib/ballonet", "-name", "api.cpython-*.pyc")


def test_it_runs_from_the_start_as_its_own_user_and_only_observes(installed: Bare) -> None:
    assert "enabled" == installed.does("systemctl", "is-enabled", "ballonet").strip()
    assert ("ballonet", "ballonet") == tuple(
        installed.does("ps", "-o", "user=,supgrp=", "-p", shown(installed, "MainPID")).split()
    )
    assert "observe" == status(installed)["mode"]
    assert "observe" in shown(installed, "StatusText")


def test_what_it_lacks_is_said_with_what_helps_and_qemu_alone_is_nothing_of_it(installed: Bare) -> None:
    lacking = installed.runs("ballonet", "history", "--plot", "/tmp/host.svg")
    assert 2 == lacking.returncode
    assert "hint: the Debian package has no matplotlib: install ballonet by pipx besides" in lacking.stderr
    assert installed.has(DOCUMENT)
    installed.does("ballonet", "-c", "qmp:/run/none-*.qmp", "guests")


def test_libvirt_lets_it_in_by_the_rule_of_the_package(installed: Bare) -> None:
    as_user = ("setpriv", "--reuid", "ballonet", "--regid", "ballonet", "--clear-groups")
    assert "web-1" in installed.does(*as_user, "ballonet", "guests", "--all")


def test_its_settings_are_an_administrators(installed: Bare) -> None:
    assert SETTINGS in installed.does("ballonet", "config", "check")
    assert SETTINGS in installed.does("dpkg-query", "-W", "-f", "${Conffiles}", "ballonet")


def test_all_users_commands_read_its_settings(installed: Bare) -> None:
    as_nobody = ("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups")
    assert SETTINGS in installed.does(*as_nobody, "ballonet", "config", "check")


def test_beside_its_service_root_looks_on_in_the_foreground(installed: Bare) -> None:
    done = installed.runs("ballonet", "run", "--budget", "80%", "--for", "1s")
    assert 0 == done.returncode, done.stderr
    assert f"nothing is remembered: another ballonet (process {shown(installed, 'MainPID')}, " in done.stderr


def test_man_shows_its_pages(installed: Bare) -> None:
    for page, words in (("ballonet", "ballonet make-room [OPTIONS] {SIZE}"), ("ballonet.toml", "floor = ")):
        assert words in installed.does("man", "--warnings", page)
        assert f"{page} (" in installed.does("whatis", page)


@pytest.mark.parametrize("shell", ASKED)
def test_a_shell_that_finds_its_completion_by_itself_knows_guests(installed: Bare, shell: str) -> None:
    assert "web-1" in installed.does("env", "HOME=/root", "TERM=dumb", shell, "-c", ASKED[shell])


def test_removed_it_leaves_settings_and_state_and_purged_nothing(installed: Bare) -> None:
    installed.does("touch", "/etc/ballonet/conf.d/60-own.toml")

    installed.dpkg("--remove", "ballonet")

    assert "inactive" == installed.runs("systemctl", "is-active", "ballonet").stdout.strip()
    assert not installed.has("/usr/lib/ballonet")
    assert all(map(installed.has, (SETTINGS, "/etc/ballonet/conf.d/60-own.toml", f"{STATE}/state.sqlite")))

    installed.dpkg("--purge", "ballonet")

    # What man rendered is man's own.
    places = ("/etc", "/run", "/usr", "/var", "-path", "/var/cache/man", "-prune", "-o")
    assert "" == installed.does("find", *places, "-name", "*ballonet*", "-print")
