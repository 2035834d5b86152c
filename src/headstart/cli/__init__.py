"""The command line: a thin shell over `headstart.workflow`."""
