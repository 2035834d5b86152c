"""Which backbone, and which settings: measured, not guessed."""
