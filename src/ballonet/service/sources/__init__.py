"""Where the terminal view gets its frames from: a service, a simulated host, a recording."""
