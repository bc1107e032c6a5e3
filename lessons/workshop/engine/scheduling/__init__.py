"""One scheduler for the loop, threads and time of a conversation, whose seed decides the order.

loop.py            the event loop, which knows when all is idle
threads.py         the turns of threads; blocking_calls.py what holds up the loop
patience.py        the limit for code that may never end
clock.py           one clock for all; hashes.py numbers instead of memory addresses
patches.py         replaces functions for these modules
"""
