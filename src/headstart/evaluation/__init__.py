"""How good a classifier is: arrays in, dataclasses out."""
