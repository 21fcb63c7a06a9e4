"""`python -m tests.providers.reference`: writes docs/reference-coverage.md."""

from tests.providers.reference.document import PATH, document

PATH.write_text(document())
