"""Pretrained networks: the catalogue, their weights, and surgery on them."""
