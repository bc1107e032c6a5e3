"""A middleware that tells what a view took of the processor, however busy the machine is."""

import time

HEADER = "Server-Timing"


def own_time(get_response):
    def middleware(request):
        started = time.thread_time()
        response = get_response(request)
        response[HEADER] = f"own;dur={(time.thread_time() - started) * 1000:.3f}"
        return response

    return middleware


def told(header: str) -> float:
    """The seconds that it says; none for a file."""
    return float(header.partition("dur=")[2] or 0) / 1000
