"""A view that streams: server-sent events from a group of the channel layer."""

from channels.layers import get_channel_layer
from django.http import StreamingHttpResponse


async def news(request):
    async def stream():
        layer = get_channel_layer()
        channel = await layer.new_channel()
        await layer.group_add("news", channel)
        try:
            yield ": connected\n\n"
            while True:
                message = await layer.receive(channel)
                yield f"data: {message['title']}\n\n"
        finally:  # also if the client leaves
            await layer.group_discard("news", channel)

    return StreamingHttpResponse(stream(), content_type="text/event-stream")
