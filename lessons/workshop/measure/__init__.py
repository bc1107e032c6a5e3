"""`manage.py bench NAME`: what one event, one group_send and one verdict cost on this machine.

event and group_send are scripts: each starts itself as the server that it measures, and compares
Channels with a plain ASGI function in the same run. Look at ratios: they hold elsewhere too.
No test measures time.
"""
