"""libvirt behind the `Hypervisor` port: the only room that imports libvirt and that knows KiB."""

from ballonet.hypervisor.libvirt.adapter import LibvirtHypervisor

__all__ = ["LibvirtHypervisor"]
