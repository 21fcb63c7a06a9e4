"""The inventory: numbers, accounts, syncs and changes. App label `numbers` (a package of that name would shadow Python's own)."""
