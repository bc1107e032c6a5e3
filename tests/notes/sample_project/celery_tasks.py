"""Tasks of Celery that send messages to a group, from a process without a socket.

celery -A tests.notes.sample_project.celery_tasks worker
"""

import os
import signal

from asgiref.sync import async_to_sync
from celery import Celery
from celery.signals import worker_init
from channels.layers import get_channel_layer

app = Celery("mysite")
app.config_from_object("django.conf:settings", namespace="CELERY")


def send_news(text):
    message = {"type": "news.text", "text": text, "pid": os.getpid()}
    async_to_sync(get_channel_layer().group_send)("news", message)


@worker_init.connect
def announce(**_):
    """Use the layer in the process that later forks the children of prefork."""
    send_news("a worker starts")


@app.task
def tell(text):
    send_news(text)


@app.task
async def tell_async(text):
    send_news(text)


def work(task):
    """Report which run of the task this is. The first run lasts until a signal ends its process."""
    name = task.name.rpartition(".")[2]
    if task.request.delivery_info["redelivered"]:
        send_news(f"{name} again")
    else:
        send_news(name)
        signal.pause()


@app.task(bind=True)
def early(self):
    work(self)


@app.task(bind=True, acks_late=True)
def late(self):
    work(self)


@app.task(bind=True, acks_late=True, reject_on_worker_lost=True)
def rejected(self):
    work(self)
