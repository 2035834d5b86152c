"""What in a photo a classifier looked at."""
