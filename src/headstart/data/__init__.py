"""Photos on disk: list, read, check, split, decode."""
