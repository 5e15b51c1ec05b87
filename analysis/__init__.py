"""Measures and figures: arrays in, arrays out, and no simulator underneath."""
