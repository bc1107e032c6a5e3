"""Programs that a benchmark starts and measures. Each runs in its own process on a free port."""
