"""One adapter a file behind the engine's `Hypervisor` port."""
