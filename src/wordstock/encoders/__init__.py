"""Contextual encoders: transformer models of the Hugging Face kind behind the ``Encoder`` protocol, and their tables.

The extra "encoders" brings torch, transformers and tokenizers; importing this room loads none of them.
"""

from wordstock.encoders.config import ContextConfig
from wordstock.encoders.encoder import ContextualEncoder
from wordstock.encoders.opening import check_runnable, describe_folder, open_encoder
from wordstock.encoders.parts import Pieces
from wordstock.encoders.running import Progress

__all__ = [
    "ContextConfig",
    "ContextualEncoder",
    "Pieces",
    "Progress",
    "check_runnable",
    "describe_folder",
    "open_encoder",
]
