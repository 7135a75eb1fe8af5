"""A port's other side: simulated guests and hosts, on virtual time."""
