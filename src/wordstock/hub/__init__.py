"""Named models: the registry, where they come from, the cache, and ``load``.

Environment: ``WORDSTOCK_CACHE`` moves the cache folder, ``WORDSTOCK_OFFLINE=1`` forbids the network, and
``WORDSTOCK_REGISTRY`` names a TOML file with models of one's own.
"""

from wordstock.hub.entry import Entry
from wordstock.hub.fetching import cached, fetch, remove
from wordstock.hub.loading import load
from wordstock.hub.registry import find, registry

__all__ = ["Entry", "cached", "fetch", "find", "load", "registry", "remove"]
