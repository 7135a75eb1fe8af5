from ballonet.lab.emulator import beside

# As /proc/PID/smaps has it, most lines left out: QEMU's code, a guest of 512 MiB, the heap.
SMAPS = """\
55d0c0a00000-55d0c0e00000 r-xp 00000000 08:01 1317 /usr/bin/qemu-system-x86_64
Size:               4096 kB
Rss:                4000 kB
VmFlags: rd ex mr mw me
7f1c40000000-7f1c60000000 rw-p 00000000 00:00 0
Size:             524288 kB
Rss:              240000 kB
VmFlags: rd wr mr mw me ac
55d0c2a00000-55d0c4100000 rw-p 00000000 00:00 0 [heap]
Rss:                5000 kB
"""


def test_what_is_not_the_guests_memory_is_the_emulators_own() -> None:
    assert 9000 * 1024 == beside(SMAPS, 512 << 20)
    assert 249000 * 1024 == beside(SMAPS, 256 << 20)
