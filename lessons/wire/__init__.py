"""Records what crosses the ASGI boundary, the channel layer and the database.

Nothing here patches Channels or Daphne: it stands where they let others stand. An ASGI middleware
sees receive and send, a proxy put in place with `channel_layers.set` sees the layer, an execute
wrapper of Django's sees queries, and a context variable ties all of it to its connection.
"""
