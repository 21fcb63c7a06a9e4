"""The inventory: numbers, accounts, syncs and changes. App label `numbers`: as a package it would shadow Python's own."""
