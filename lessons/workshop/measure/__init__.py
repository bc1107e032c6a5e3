"""Benchmarks: `manage.py bench NAME`.

Each benchmark is a module with `run(options)`: verdict, echo, fanout, page, chat, storm and room.
registry lists them, run_all runs some of them, report and chart show their figures. The programs
that they start and measure are in servers. All figures are ratios and medians of one run on one
machine. No test measures time.
"""
