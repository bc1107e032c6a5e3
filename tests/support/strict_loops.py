"""pytest-asyncio runs tests with a strict communicator on the simulated loop."""

import asyncio


def pytest_asyncio_loop_factories(config, item):
    """The loop of a test: the simulated one if its module names a strict communicator."""
    from lessons.workshop.engine.scheduling.loop import SimulatedLoop

    names = {"StrictCommunicator", "StrictHttpCommunicator"}
    strict = item.module and names & vars(item.module).keys()
    return {"observed": SimulatedLoop} if strict else {"usual": asyncio.new_event_loop}
