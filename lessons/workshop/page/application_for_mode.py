"""Wraps the application in what the mode of the server adds: recording, a token, HTTPS."""

from django.conf import settings

from lessons.workshop.page.static_files import StaticFilesHandler
from lessons.workshop.setup.network_access import Mode
from lessons.workshop.student.demo_accounts import require_safe_accounts


def application_for_mode(routed, unrecorded, django_application, plain_paths):
    """Return what the server of this mode serves.

    `routed` raises an exception for an unknown path; `unrecorded` rejects the handshake. HTTP
    requests to `plain_paths` need no HTTPS. `django_application` redirects all others.
    """
    application = unrecorded
    if settings.WORKSHOP:  # the lessons' pages show the events; other servers record nothing
        from lessons.workshop.page.live.recording import record_page_clients

        # A recorded client of an unknown path gets the exception of Channels: the lessons show it.
        application = record_page_clients(routed, others=unrecorded)
    application = StaticFilesHandler(application)
    if settings.MODE is not Mode.LOCAL:
        require_safe_accounts()
    if settings.MODE is Mode.SHARED:
        from lessons.workshop.page.token_check import with_token

        application = with_token(application)
    if settings.HTTPS:
        from lessons.workshop.page.https import with_https

        application = with_https(application, django_application, plain_paths)
    return application
