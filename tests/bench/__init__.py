"""Measurements side by side with what else one could use."""
