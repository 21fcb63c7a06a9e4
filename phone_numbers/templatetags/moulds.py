"""Moulds: what a template makes of one kind of thing, with gaps for what differs from one such thing to the next.

A page has hundreds of cells and options of a few kinds. Each kind is drawn by its template once, and cast from then on:
the same text in a hundredth of the time.
"""

NAMES = (
    *("pk", "e164", "national", "country", "alias", "voice", "messages", "from_suffix", "cells"),
    *("place", "value", "title", "count"),
)
GAPS = {name: chr(0xFDD0 + position) for position, name in enumerate(NAMES)}
"""Given to a template to make a mould: characters that Unicode keeps out of every text, and that nothing escapes."""


def mould_of(drawn: str) -> str:
    """A format string of what was drawn with gaps in it. What is filled in must be escaped."""
    mould = plain(drawn)
    for name, gap in GAPS.items():
        mould = mould.replace(gap, f"{{{name}}}")
    return mould


def plain(drawn: str) -> str:
    """A format string of what has no gaps."""
    return drawn.replace("{", "{{").replace("}", "}}")
