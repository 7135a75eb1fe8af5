"""The page: what is on it, how it is drawn, and what brings it to life (`static`)."""
