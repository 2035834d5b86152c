"""A run folder as a page to read."""
