"""Measurements, as ratios and medians of interleaved rounds: ``python -m benchmarks``."""
