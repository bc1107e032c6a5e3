"""What a proxy says about a connection, and what happens without HTTPS."""

import pytest
from asgiref.testing import ApplicationCommunicator
from django.test import Client

from lessons.workshop.page.https import with_https

PLAIN_PATHS = ("/health/",)


async def served(settings, https, scope):
    """The scope that the application received, or what was sent instead."""
    settings.HTTPS = https
    seen = []

    async def application(scope, receive, send):
        seen.append(scope)

    async def redirect(scope, receive, send):
        seen.append("redirected")

    client = ApplicationCommunicator(with_https(application, redirect, PLAIN_PATHS), scope)
    await client.wait()
    return seen[0] if seen else await client.receive_output()


def scope_of(kind, headers=(), port=8001, path="/"):
    plain = {"http": {"scheme": "http"}, "websocket": {}}[kind]  # as Daphne makes them
    headers = [(b"host", b"127.0.0.1:8001"), *headers]
    scope = {"type": kind, "path": path, "headers": headers, "client": ["127.0.0.1", 40001]}
    return {**scope, **plain, "server": ["127.0.0.1", port]}


OVER_TLS = (b"x-forwarded-proto", b"https")


@pytest.mark.parametrize("kind, scheme", [("http", "https"), ("websocket", "wss")])
async def test_the_proxy_says_that_the_browser_used_https(settings, kind, scheme):
    scope = await served(settings, "proxy", scope_of(kind, [OVER_TLS]))
    assert scope["scheme"] == scheme
    assert scope["client"] == ["127.0.0.1", 40001]


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"x-forwarded-proto", b"http")],
        [(b"origin", b"https://a")],
        [OVER_TLS, (b"x-forwarded-proto", b"http")],  # the client made up the first one
    ],
)
async def test_without_https_a_page_is_redirected_and_a_socket_is_rejected(settings, headers):
    assert await served(settings, "proxy", scope_of("http", headers)) == "redirected"
    rejected = await served(settings, "proxy", scope_of("websocket", headers))
    assert rejected == {"type": "websocket.close"}


@pytest.mark.parametrize(
    "header, address",
    [
        (b"192.0.2.7", "192.0.2.7"),
        (b"6.6.6.6, 192.0.2.7", "192.0.2.7"),
        (b"2001:db8::1", "2001:db8::1"),
    ],
)
async def test_the_client_is_the_one_that_the_proxy_saw(settings, header, address):
    headers = [OVER_TLS, (b"x-forwarded-for", header)]
    scope = await served(settings, "proxy", scope_of("websocket", headers))
    assert scope["client"] == [address, 0]


async def test_the_host_is_the_one_that_the_browser_asked_for(settings):
    headers = [OVER_TLS, (b"x-forwarded-host", b"learn.test")]
    scope = await served(settings, "proxy", scope_of("http", headers))
    assert [value for name, value in scope["headers"] if name == b"host"] == [b"learn.test"]


@pytest.mark.parametrize("kind, scheme", [("http", "https"), ("websocket", "wss")])
async def test_the_port_with_tls_is_secure_and_no_other(settings, kind, scheme):
    assert (await served(settings, "8443", scope_of(kind, port=8443)))["scheme"] == scheme
    other = await served(settings, "8443", scope_of(kind, [OVER_TLS], port=8001))
    assert other == ("redirected" if kind == "http" else {"type": "websocket.close"})


async def test_without_a_proxy_its_headers_are_ignored(settings):
    headers = [(b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-host", b"evil.test")]
    scope = await served(settings, "8443", scope_of("websocket", headers, port=8443))
    assert scope["client"] == ["127.0.0.1", 40001]
    assert (b"host", b"127.0.0.1:8001") in scope["headers"]


async def redirected_to(settings, https, host):
    """Where Django's middleware redirects a request without HTTPS. None if it answers 400."""
    settings.HTTPS, settings.SECURE_SSL_REDIRECT = https, True
    settings.ALLOWED_HOSTS = ["a.test", "[::1]"]
    hosts = []

    async def redirect(scope, receive, send):
        hosts.append(dict(scope["headers"])[b"host"].decode())

    scope = scope_of("http") | {"headers": [(b"host", host.encode())]}
    await ApplicationCommunicator(with_https(None, redirect), scope).wait()
    response = Client(headers={"host": hosts[0]}).get("/notes/")
    assert response.status_code == (301 if "Location" in response else 400)
    return response.get("Location")


@pytest.mark.parametrize("host", ["a.test", "[::1]"])
@pytest.mark.parametrize("port", ["", ":8001", ":80"])
async def test_the_redirect_leads_to_the_port_with_tls(settings, host, port):
    assert await redirected_to(settings, "8443", host + port) == f"https://{host}:8443/notes/"
    assert await redirected_to(settings, "443", host + port) == f"https://{host}/notes/"
    assert await redirected_to(settings, "proxy", host + port) == f"https://{host}{port}/notes/"


@pytest.mark.parametrize("https", ["8443", "443", "proxy"])
@pytest.mark.parametrize("host", ["b.test:8001", "a.test:80:8001", "::1", "a.test:x", "é"])
async def test_a_host_that_is_not_allowed_is_refused_and_not_redirected(settings, https, host):
    assert await redirected_to(settings, https, host) is None


@pytest.mark.parametrize("https", ["proxy", "8443"])
async def test_without_https_a_health_check_passes_but_no_other_path_and_no_socket(settings, https):
    scope = await served(settings, https, scope_of("http", path="/health/"))
    assert (scope["path"], scope["scheme"]) == ("/health/", "http")
    for path in ("/health", "/health/all/", "/my/health/"):
        assert await served(settings, https, scope_of("http", path=path)) == "redirected"
    rejected = await served(settings, https, scope_of("websocket", path="/health/"))
    assert rejected == {"type": "websocket.close"}
