"""Files that travel with an export, and the program that proves it: none knows this package."""
