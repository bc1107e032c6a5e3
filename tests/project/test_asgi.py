"""lessons/asgi.py leads the jobs of `runworker` to the workers of layers_demo."""

import pytest
from asgiref.testing import ApplicationCommunicator

from lessons.asgi import application


async def test_a_job_reaches_the_worker_of_its_channel():
    worker = ApplicationCommunicator(application, {"type": "channel", "channel": "primes"})
    await worker.send_input({"type": "primes.factor"})
    with pytest.raises(KeyError, match="number"):  # the worker read the job
        await worker.wait()
