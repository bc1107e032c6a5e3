import os

SECRET_KEY = "of a test"
ALLOWED_HOSTS = ["shop.example"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "channels",
    "shop",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
if "POSTGRES" in os.environ:
    DATABASES["default"] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "shop",
        "USER": "postgres",
        "HOST": os.environ["POSTGRES"],
    }
# No Redis runs: the tests must not need it.
REDIS = {"hosts": [("192.0.2.1", 6379)]}
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": REDIS},
    "stock": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": REDIS},
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://192.0.2.1",
    }
}
ROOT_URLCONF = "mysite.urls"
ASGI_APPLICATION = "mysite.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
