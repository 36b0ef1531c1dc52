"""Layers with forward and backward."""
