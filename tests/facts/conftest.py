"""Servers for the facts: `daphne` is once a real Daphne, and once the simulated one."""

import pytest

from tests.support.compared_daphne import RealServer, SimulatedServer


def on_both(*arguments, **options):
    """A fixture of a module: both servers, one after the other."""

    @pytest.fixture(scope="module", params=["real", "simulated"])
    def server(request):
        if request.param == "simulated":
            yield SimulatedServer()
            return
        with RealServer(*arguments, **options) as daphne:
            yield daphne

    return server


daphne = on_both(close=0.2)
impatient = on_both(handshake=0.5)  # for handshakes that get no answer
daphne_http = on_both("scripted", "http")
