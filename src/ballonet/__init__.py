"""Memory ballooning for KVM guests: automatic, safe and explained."""

__version__ = "0.1.0"
