"""The live view in the terminal: the same four questions as everywhere, answered on one screen."""
