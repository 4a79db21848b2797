"""Where models come from: a wheel on a package index, an address, the Hugging Face hub, this machine."""

from wordstock.hub.sources.deliver import Receipt, deliver

__all__ = ["Receipt", "deliver"]
