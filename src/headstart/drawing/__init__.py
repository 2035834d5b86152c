"""A network as a picture that a person can learn from: `ModelGraph` in, SVG or HTML out."""
