"""Settings: documented models, files with the place of each value, and the engine's terms for them."""
