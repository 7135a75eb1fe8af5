"""The service around the engine: what it remembers beyond its own life, and what others may ask of it."""
