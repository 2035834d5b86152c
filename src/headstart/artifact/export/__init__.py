"""A run's classifier in other formats, each proven against `model.keras`."""
