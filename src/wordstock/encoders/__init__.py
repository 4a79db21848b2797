"""Contextual encoders, and the tables made from them."""
