"""Everything that knows a phone number provider's HTTP API. Imports neither Django nor Celery."""
