"""Compiled inner loops: arrays in, arrays out. Import the modules directly; importing this package loads no numba."""
