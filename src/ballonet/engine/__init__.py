"""Making it happen: ports, the tick, what is remembered between ticks, and the loop."""
