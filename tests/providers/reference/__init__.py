"""What the providers' reference pages name, and where each of it lands in Numberdesk: data, and the page made of it.

`tests/providers/test_reference_coverage.py` compares every line with the code; `python -m tests.providers.reference`
writes docs/reference-coverage.md.
"""

from tests.providers.reference import fone_dynamics, plivo, signalwire, twilio

PAGES = (plivo.CURRENT, plivo.LEGACY, twilio.TRUNK_NUMBERS, signalwire.NUMBERS, fone_dynamics.NUMBERS)
