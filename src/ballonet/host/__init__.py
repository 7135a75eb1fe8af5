"""The host's own memory, read from files under a root that tests can point elsewhere."""
