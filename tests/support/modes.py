"""The environment of each mode, for tests that start a server in it."""

KEY = "a-key-for-these-tests-that-is-long-enough-for-the-deployment-check"
NAMES = (
    "DJANGO_MODE",
    "DJANGO_DEBUG",
    "DJANGO_SECRET_KEY",
    "DJANGO_ALLOWED_HOSTS",
    "DJANGO_HTTPS",
    "REDIS_URL",
    "DATABASE_URL",
)
SHARED = {"DJANGO_MODE": "shared", "DJANGO_ALLOWED_HOSTS": "a.test", "DJANGO_SECRET_KEY": KEY}
PUBLIC = {  # the public server of lessons/extras
    "DJANGO_SETTINGS_MODULE": "lessons.extras.settings",
    "DJANGO_ALLOWED_HOSTS": "a.test",
    "DJANGO_SECRET_KEY": KEY,
    "REDIS_URL": "redis://127.0.0.1",
}
