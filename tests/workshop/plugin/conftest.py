"""Tests of the pytest plugin: what `world` does, and what a red test reports."""

import pytest


@pytest.fixture
def asgi_application(request):
    """The application of the test's module."""
    return request.module.application
