"""How deeply the JSON of an answer may be nested. What else an answer may be is tried in test_http.py."""

import json

import pytest

from providers.decoding import DEEPEST, Unreadable, decode_json


@pytest.mark.parametrize("body", ["[" * DEEPEST + "]" * DEEPEST, f"[{'[],' * 100}1]", '["[[", "{"]'])
def test_it_reads_what_is_nested_no_more_deeply_than_it_may_be(body: str) -> None:
    assert decode_json(body.encode()) == json.loads(body)


def test_it_reads_nothing_that_is_nested_more_deeply() -> None:
    with pytest.raises(Unreadable, match="nested too deeply"):
        decode_json(f"{'[' * (DEEPEST + 1)}1{']' * (DEEPEST + 1)}".encode())
