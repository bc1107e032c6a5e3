"""Servers for the facts: `daphne` is once a real Daphne, and once the simulated one."""

import pytest

from tests.support.compared_daphne import RealServer, SimulatedServer


def on_both(*arguments):
    """A fixture of a module: both servers, one after the other."""

    @pytest.fixture(scope="module", params=["real", "simulated"])
    def server(request):
        if request.param == "simulated":
            yield SimulatedServer()
            return
        with RealServer(*arguments) as daphne:
            yield daphne

    return server


daphne = on_both("scripted_server", "close=0.2")
impatient = on_both("scripted_server", "handshake=0.5")  # for handshakes that get no answer
daphne_http = on_both("scripted_http_server")
