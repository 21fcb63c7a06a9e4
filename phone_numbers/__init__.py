"""The inventory: numbers, accounts, syncs, changes. App label `numbers`; a package called so would shadow Python's."""
