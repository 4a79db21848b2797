"""Named models: the registry, where they come from, the cache, and ``load``."""

from wordstock.hub.entry import Entry
from wordstock.hub.fetching import cached, fetch, remove
from wordstock.hub.load import load
from wordstock.hub.registry import find, registry

__all__ = ["Entry", "cached", "fetch", "find", "load", "registry", "remove"]
