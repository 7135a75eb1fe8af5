"""QEMU's own monitors behind the `Hypervisor` port: the only room that knows QMP."""

from ballonet.hypervisor.qmp.adapter import QmpHypervisor

__all__ = ["QmpHypervisor"]
