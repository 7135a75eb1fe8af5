"""What the lab's guests boot: a Debian cloud kernel, its drivers, busybox and the workload."""

import lzma
import os
import platform
import shutil
import stat
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

from ballonet.errors import BallonetError
from ballonet.lab.initramfs import archive, load_order

KERNEL_VARIABLE = "BALLONET_LAB_KERNEL"
AGENT_VARIABLE = "BALLONET_LAB_AGENT"
AGENT_PACKAGE = "qemu-guest-agent"
PACKAGE = "linux-image-cloud-amd64"
MODULES = ("virtio_pci", "virtio_blk", "virtio_console", "virtio_balloon")
TOOLS = {
    "busybox": "busybox-static",
    "cc": "gcc libc6-dev",
    "depmod": "kmod",
    "qemu-system-x86_64": "qemu-system-x86",
}
PROGRAM_PATHS = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"  # depmod's place is in no user's PATH
EXECUTABLE = stat.S_IFREG | 0o755
PLAIN = stat.S_IFREG | 0o644


@dataclass(frozen=True, slots=True)
class Image:
    """What QEMU boots directly, and how long it took to make."""

    kernel: Path
    initramfs: Path
    seconds: float
    agent_initramfs: Path | None = None  # for guests with an agent; None: not made


def build(directory: Path) -> Image:
    """Make the guests' image in `directory`.

    The kernel comes from the package file that `$BALLONET_LAB_KERNEL` names, else from one lying in
    `directory`, else from `apt-get download`, else it is the host's own.
    Raises `BallonetError` with what to install.
    """
    begun = time.monotonic()
    tools = {name: _tool(name) for name in TOOLS}
    directory.mkdir(parents=True, exist_ok=True)
    tree = directory / "kernel"
    workload = directory / "workload"
    source = Path(__file__).with_name("workload.c")
    compile_words = [tools["cc"], "-O2", "-static", "-pthread", "-o", str(workload), str(source)]
    _run(*compile_words)
    kernel, modules = _kernel(directory, tree)
    _run(tools["depmod"], "-b", str(tree), modules.name)
    files = {
        "init": (EXECUTABLE, Path(__file__).with_name("init.sh").read_bytes()),
        "bin/busybox": (EXECUTABLE, Path(tools["busybox"]).read_bytes()),
        "workload": (EXECUTABLE, workload.read_bytes()),
        "sys": (stat.S_IFDIR | 0o755, b""),
        "proc": (stat.S_IFDIR | 0o755, b""),
        "dev": (stat.S_IFDIR | 0o755, b""),
        **_drivers(modules),
    }
    initramfs = directory / "initramfs"
    initramfs.write_bytes(archive(files))
    return Image(kernel, initramfs, time.monotonic() - begun)


def with_agent(image: Image, directory: Path) -> Image:
    """Return the image with a first file system beside its own that has qemu-guest-agent, too.

    It and its libraries, which are this host's, stay in the guest's memory: guests without it have a file
    system without them. Raises `BallonetError` with what to install.
    """
    if image.agent_initramfs is not None:
        return image
    program = agent_program(directory)
    files = {f"lib/agent/{path.name}": (EXECUTABLE, path.read_bytes()) for path in _libraries(program)}
    files["sbin/qemu-ga"] = (EXECUTABLE, program.read_bytes())
    # The kernel unpacks one archive after the other.
    path = directory / "initramfs-agent"
    path.write_bytes(image.initramfs.read_bytes() + archive(files))
    return replace(image, agent_initramfs=path)


def agent_program(directory: Path) -> Path:
    """Return qemu-guest-agent's program, unpacked below `directory` and not installed.

    It comes from the package file that `$BALLONET_LAB_AGENT` names, else from one lying in `directory`, else
    from `apt-get download`. Raises `BallonetError`.
    """
    tree = directory / "agent"
    shutil.rmtree(tree, ignore_errors=True)
    _run("dpkg-deb", "-x", str(_agent_package(directory)), str(tree))
    return next(tree.glob("**/sbin/qemu-ga"))


def _agent_package(directory: Path) -> Path:
    named = os.environ.get(AGENT_VARIABLE)
    if named and not Path(named).is_file():
        raise BallonetError(
            f"{AGENT_VARIABLE} names {named}, which is no file",
            hint=f"unset {AGENT_VARIABLE}, or let it name a {AGENT_PACKAGE} package",
        )
    if named:
        return Path(named)
    kept = sorted(directory.glob(f"{AGENT_PACKAGE}_*.deb"))
    if not kept:
        _run("apt-get", "download", AGENT_PACKAGE, directory=directory)
        kept = sorted(directory.glob(f"{AGENT_PACKAGE}_*.deb"))
    return kept[-1]


def _libraries(program: Path) -> list[Path]:
    """Return the libraries of a program, the one that loads them among them, as this host has them."""
    words = _run("ldd", str(program)).split()
    missing = [words[at - 2] for at, word in enumerate(words) if word == "not"]
    if missing:
        raise BallonetError(
            f"the guest agent needs {', '.join(missing)}",
            hint="apt install libglib2.0-0 libnuma1 libudev1 liburing2",
        )
    return [Path(word) for word in words if word.startswith("/")]


def _drivers(modules: Path) -> dict[str, tuple[int, bytes]]:
    """Return the drivers' files by their places in the guest, with the order to load them in."""
    texts = [(modules / name).read_text() for name in ("modules.dep", "modules.builtin")]
    paths = load_order(texts[0], MODULES, texts[1])
    files = {f"modules/{_plain_name(path)}": (PLAIN, _content(modules / path)) for path in paths}
    order = "".join(f"{_plain_name(path)}\n" for path in paths)
    return {"modules/order": (PLAIN, order.encode()), **files}


def _plain_name(path: str) -> str:
    return Path(path).name.removesuffix(".xz")


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    return lzma.decompress(content) if path.suffix == ".xz" else content


def _kernel(directory: Path, tree: Path) -> tuple[Path, Path]:
    """Return the kernel and its directory of modules, both below `tree`."""
    package = _package(directory)
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir()
    if package is None:
        _take_host_kernel(tree)
    else:
        _unpack(package, tree)
    kernel = next((tree / "boot").glob("vmlinuz-*"))
    return kernel, next((tree / "lib" / "modules").iterdir())


def _package(directory: Path) -> Path | None:
    named = os.environ.get(KERNEL_VARIABLE)
    if named:
        if not Path(named).is_file():
            raise BallonetError(
                f"{KERNEL_VARIABLE} names {named}, which is no file",
                hint=f"unset {KERNEL_VARIABLE}, or let it name a linux-image-*-cloud-amd64 package",
            )
        return Path(named)
    if shutil.which("apt-get") and not _kept(directory):
        _download(directory)
    return _kept(directory)


def _kept(directory: Path) -> Path | None:
    return next(iter(sorted(directory.glob("linux-image-*.deb"))), None)


def _download(directory: Path) -> None:
    """Fetch the package that the meta package stands for; without a network the host's own kernel is next."""
    try:
        words = _run("apt-cache", "depends", "--important", PACKAGE)
        names = [line.split()[-1] for line in words.splitlines() if "Depends: linux-image-" in line]
        _run("apt-get", "download", *names[:1], directory=directory)
    except BallonetError:
        if not _host_kernel().is_file():
            raise


def _unpack(package: Path, tree: Path) -> None:
    """Take out of the package what a guest of the lab can need: a sixth of it."""
    drivers = "./lib/modules/*/kernel/drivers"
    wanted = ["./boot/vmlinuz-*", "./lib/modules/*/modules.*"]
    wanted += [f"{drivers}/{room}/*" for room in ("virtio", "block", "char")]
    # Newer packages keep modules below usr/: the same patterns, a folder lower.
    wanted += [f"./usr{pattern[1:]}" for pattern in wanted]
    # Patterns that match nothing make tar fail: what counts is that the package could be read.
    command = (
        'dpkg-deb --fsys-tarfile "$1" | tar -x --wildcards -C "$2" "${@:3}" 2>/dev/null; '
        'exit "${PIPESTATUS[0]}"'
    )
    _run("bash", "-c", command, "unpack", str(package), str(tree), *wanted)
    if (tree / "usr" / "lib").is_dir():
        shutil.move(tree / "usr" / "lib", tree / "lib")


def _host_kernel() -> Path:
    return Path("/boot") / f"vmlinuz-{platform.release()}"


def _take_host_kernel(tree: Path) -> None:
    release = platform.release()
    source = Path("/lib/modules") / release
    if not (_host_kernel().is_file() and source.is_dir() and os.access(_host_kernel(), os.R_OK)):
        raise BallonetError(
            "no kernel for the guests: no package could be downloaded, and the host's own cannot be read",
            hint=f"give a linux-image-*-cloud-amd64 package: export {KERNEL_VARIABLE}=FILE.deb",
        )
    (tree / "boot").mkdir()
    shutil.copy(_host_kernel(), tree / "boot")
    target = tree / "lib" / "modules" / release
    target.mkdir(parents=True)
    for name in ("modules.builtin", "modules.order"):
        shutil.copy(source / name, target)
    for room in ("virtio", "block", "char"):
        shutil.copytree(source / "kernel" / "drivers" / room, target / "kernel" / "drivers" / room)


def _tool(name: str) -> str:
    found = shutil.which(name, path=PROGRAM_PATHS)
    if found is None:
        raise BallonetError(f"the lab needs {name}", hint=f"apt install {TOOLS[name]}")
    return found


def _run(*words: str, directory: Path | None = None) -> str:
    """Run a program to its end and return what it printed."""
    done = subprocess.run(words, cwd=directory, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603 (no shell)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise BallonetError(f"{Path(words[0]).name} failed: {last}", hint=f"try it: {' '.join(words)}")
    return done.stdout
