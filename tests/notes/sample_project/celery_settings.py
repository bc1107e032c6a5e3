"""The settings of a project with Celery: the channel layer and the broker share one Redis."""

import os

REDIS_URL = os.environ["REDIS_URL"]
PREFIX = os.environ["MYSITE_PREFIX"]  # of all keys: other projects may use the same Redis

INSTALLED_APPS = ["channels"]

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {
            "hosts": [{"address": REDIS_URL, "socket_timeout": None}],
            "prefix": PREFIX,
        },
    },
}

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://")
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": PREFIX,
    "visibility_timeout": int(os.environ["MYSITE_VISIBILITY_TIMEOUT"]),
}
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False  # its channels are for all workers on this Redis
CELERY_WORKER_LOST_WAIT = 0.001  # seconds; no killed task has sent a result that is still waiting
