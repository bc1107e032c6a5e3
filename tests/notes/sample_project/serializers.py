"""A format for messages of the channel layer on Redis: JSON that also carries dates."""

import datetime
import json

from channels_redis.serializers import BaseMessageSerializer, registry


class TypedJSONSerializer(BaseMessageSerializer):
    """Writes a datetime as `{"__datetime__": "…"}`, and reads it back."""

    def as_bytes(self, message):
        return json.dumps(message, default=self.encode).encode()

    def from_bytes(self, data):
        return json.loads(data, object_hook=self.decode)

    @staticmethod
    def encode(value):
        if isinstance(value, datetime.datetime):
            return {"__datetime__": value.isoformat()}
        raise TypeError(f"{type(value).__name__} cannot be sent")

    @staticmethod
    def decode(value):
        if "__datetime__" in value:
            return datetime.datetime.fromisoformat(value["__datetime__"])
        return value


registry.register_serializer("typed-json", TypedJSONSerializer)  # "serializer_format" names it
