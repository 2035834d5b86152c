"""The same stations on many machines, by way of Ray."""
