"""Does it hold when everything fails? `make chaos` runs each row of `rows.py` and prints its figure beside its bar."""
