"""A host of libvirt's test driver to run the command on, and what every failure must look like."""

import subprocess
from collections.abc import Callable

# What qemu:///system is on this machine must not matter.
NOWHERE = "qemu+unix:///system?socket=/nonexistent"

HOST = """\
<node xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>
  <domain type='test'>
    <name>web</name><uuid>11111111-1111-4111-8111-111111111111</uuid>
    <memory unit='GiB'>2</memory><currentMemory unit='GiB'>1</currentMemory><vcpu>1</vcpu>
    <os><type>hvm</type></os>
    <devices><memballoon model='virtio'><stats period='5'/></memballoon></devices>
  </domain>
  <domain type='test'>
    <name>bare</name><uuid>22222222-2222-4222-8222-222222222222</uuid>
    <memory unit='GiB'>1</memory><vcpu>1</vcpu><os><type>hvm</type></os>
    <devices><memballoon model='none'/></devices>
  </domain>
  <domain type='test'>
    <name>off</name><uuid>33333333-3333-4333-8333-333333333333</uuid>
    <memory unit='GiB'>1</memory><vcpu>1</vcpu><os><type>hvm</type></os>
    <devices><memballoon model='virtio'/></devices>
    <test:runstate>5</test:runstate>
  </domain>
  <domain type='test'>
    <name>locked</name><uuid>44444444-4444-4444-8444-444444444444</uuid>
    <memory unit='GiB'>2</memory><vcpu>1</vcpu><os><type>hvm</type></os>
    <memoryBacking><locked/></memoryBacking>
    <devices><memballoon model='virtio'/></devices>
  </domain>
</node>
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


def two_lines(result: subprocess.CompletedProcess[str]) -> tuple[str, str]:
    """Return what is wrong and what to do, which is all that a failure may say."""
    assert not result.stdout
    wrong, hint = result.stderr.splitlines()
    assert wrong.startswith("ballonet: ")
    assert hint.startswith("hint: ")
    return wrong.removeprefix("ballonet: "), hint.removeprefix("hint: ")
