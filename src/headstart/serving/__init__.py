"""The server: HTTP in, predictions out, and a page to try a run on."""
