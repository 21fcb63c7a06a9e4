"""What Numberdesk does: read accounts into the cache, send edits to providers. Knows no request and enqueues nothing."""
