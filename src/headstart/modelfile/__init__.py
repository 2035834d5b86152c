"""Model files read as data: nothing in them is built or executed."""
