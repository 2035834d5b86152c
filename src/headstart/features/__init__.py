"""The frozen pass: photos in, cached features out."""
