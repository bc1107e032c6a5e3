"""Hides the settings that hold a password in a URL. Django's error page shows all settings."""

import re

from django.views.debug import SafeExceptionReporterFilter

# DATABASE_URL and REDIS_URL, and the places in CACHES and CHANNEL_LAYERS that repeat REDIS_URL.
URLS = r"^(?:DATABASE_URL|REDIS_URL|LOCATION|address)$"


class HiddenUrls(SafeExceptionReporterFilter):
    """Django hides settings by name, such as SECRET_KEY. This class adds our names."""

    hidden_settings = re.compile(
        f"{SafeExceptionReporterFilter.hidden_settings.pattern}|{URLS}", re.IGNORECASE
    )
