"""Benchmarks: ratios and medians of one run on one machine, never a test that is timed."""
