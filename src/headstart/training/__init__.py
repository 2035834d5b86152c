"""Training what is not frozen."""
