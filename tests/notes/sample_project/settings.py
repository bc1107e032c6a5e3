"""The settings of a project of your own, as far as Channels asks for them."""

INSTALLED_APPS = [
    "daphne",  # before staticfiles: the first app that has a runserver gives it
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "channels",  # for manage.py runworker alone
    "sync_demo",
]

ASGI_APPLICATION = "tests.notes.sample_project.asgi.application"

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {
            "hosts": [{"address": "redis://localhost:6379/0", "socket_timeout": None}],
        },
    },
}
