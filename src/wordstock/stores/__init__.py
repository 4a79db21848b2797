"""Vectors under ids, with search."""
