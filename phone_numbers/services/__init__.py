"""What Numberdesk does: read accounts into the cache, send edits to providers. Enqueues nothing."""
