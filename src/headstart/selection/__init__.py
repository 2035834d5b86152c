"""Which backbone for these photos, and which settings; who extracts and trains is an argument."""
