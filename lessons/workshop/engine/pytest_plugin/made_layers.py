"""The channel layers that Channels has made from the settings, and the alias of each.

override_settings() lets Channels forget its layers, and make new ones. A module that was imported
before keeps a forgotten one. So the plugin notes each layer, from the start of pytest on.
"""

from weakref import WeakKeyDictionary

from channels.layers import ChannelLayerManager

made_layers = WeakKeyDictionary()
_usual = ChannelLayerManager._make_backend


def _make_backend(self, name, config):
    layer = _usual(self, name, config)
    made_layers[layer] = name
    return layer


ChannelLayerManager._make_backend = _make_backend
