"""Records the events of an ASGI connection, its channel layer calls and its database queries.

The package patches neither Channels nor Daphne. It uses the places that they offer: an ASGI
middleware records receive and send, a layer set with `channel_layers.set` records layer calls, and
a Django execute wrapper records queries. A context variable holds their connection.
"""
