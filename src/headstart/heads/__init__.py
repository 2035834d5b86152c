"""Heads: what turns features into probabilities."""
