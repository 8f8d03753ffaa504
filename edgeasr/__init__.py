"""edgeasr: from a trained speech model to verified firmware."""

__version__ = "0.1.0"
