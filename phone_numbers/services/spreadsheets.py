"""Texts in files that people open in a spreadsheet: none runs as a formula, and each comes back as it was."""

import re

DANGEROUS = (*"=+-@", *"\t\r\n\0", *"＝＋－＠", "'")
"""A spreadsheet may take what begins like this for a formula, in wide letters, too, where people type those; the quote
is the mark of what was protected from it."""
E164 = re.compile(r"\+?[1-9][0-9]{6,14}")


class Echo:
    """A file that keeps nothing: what is written to it is what `writerow` of a CSV writer returns."""

    def write(self, text: str) -> str:
        return text


def protect(text: str) -> str:
    """With a quote in front, when a spreadsheet could take it for a formula. Phone numbers pass as they are."""
    return f"'{text}" if text.startswith(DANGEROUS) and not E164.fullmatch(text) else text


def unprotect(text: str) -> str:
    """What was protected, exactly."""
    return text[1:] if text.startswith("'") and text[1:].startswith(DANGEROUS) else text
