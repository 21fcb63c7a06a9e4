"""The list's query string, read once into an object that can print itself back. Knows no HTTP and no templates."""

from phone_numbers.filters.query import InventoryQuery
from phone_numbers.filters.table import FILTERS, Filter

__all__ = ["FILTERS", "Filter", "InventoryQuery"]
