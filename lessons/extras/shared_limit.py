"""Limits what a user or an address may do on all servers: the database counts."""

import time
from datetime import UTC, datetime

from django.db.models import F

from lessons.extras.models import Usage


def take(what: str, limit: int, seconds: int) -> bool:
    """Count one use in this period of `seconds`. Return whether it is one of the first `limit`."""
    now = time.time()
    end = (now // seconds + 1) * seconds  # the same moment on all servers
    row, is_new = Usage.objects.get_or_create(what=what, ends_at=datetime.fromtimestamp(end, UTC))
    if is_new:
        Usage.objects.filter(ends_at__lt=datetime.fromtimestamp(now, UTC)).delete()
    # One statement checks and writes, so that two clients cannot both take the last use.
    allowed = Usage.objects.filter(pk=row.pk, count__lt=limit)
    return allowed.update(count=F("count") + 1) == 1
