"""Headstart: transfer learning for Keras."""
