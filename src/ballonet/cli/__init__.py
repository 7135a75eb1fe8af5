"""The command line: one file a group of commands, with no logic of its own."""
