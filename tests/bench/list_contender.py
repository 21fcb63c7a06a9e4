"""Measures one database with so many numbers, in a process of its own: `python -m tests.bench.list_contender 100000`.

Prints one line of JSON: what each request took, in milliseconds, and how many queries. Both sides go through Django's
test client, signed in, with all of the product's middleware.
"""

import gzip
import html
import json
import re
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import django

django.setup()

import django_htmx
from django.core.management import call_command
from django.db import connection
from django.http import QueryDict
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from phone_numbers.filters import InventoryQuery, directory, facets, paging
from phone_numbers.models import Account, PhoneNumber, Tally
from tests.bench.list_rows import seed_numbers
from tests.roles import make_user

HTMX = Path(django_htmx.__file__).parent / "static" / "django_htmx" / "htmx-2.min.js"
PIECE = {"HX-Request": "true"}
OURS = {
    "list": "",
    "facet": "type=toll_free",
    "facets": "country=US&tendlc=failed",
    "application": "application=Support IVR 3",
    "campaign": "campaign=C00007",
    "search selective": "q=0466",
    "search number": "q=(212) 555",
    "search words": "q=clinic north",
    "search common": "q=support",
    "sort alias": "sort=alias",
    "sort type": "sort=-type",
    "sort voice": "sort=voice",
    "sort rate": "sort=rate",
    "250 rows": "per_page=250",
}
SEARCHED = {
    "search selective": "0466",
    "search number": "212555",
    "search words": "clinic north",
    "search common": "support",
}


@override_settings(ALLOWED_HOSTS=["*"], ROOT_URLCONF="tests.bench.list_admin")
def main(count: int) -> None:
    call_command("migrate", verbosity=0)
    began = time.perf_counter()
    seed_numbers(count)
    measured: dict[str, Any] = {"seeded_seconds": time.perf_counter() - began}
    client = Client()
    client.force_login(make_user("superuser"))
    measured |= {"cells": Tally.objects.count(), "rows": PhoneNumber.objects.count(), "bytes": weigh(client)}
    measured |= {"ours": ours(client), "theirs": theirs(client), "export": export(client)}
    sys.stdout.write(f"{json.dumps(measured)}\n")


def ours(client: Client) -> dict[str, Any]:
    queries = {name: ask(client, query) for name, query in OURS.items()}
    found = {name: {**again, "first": first} for name, (first, again) in queries.items()}
    last = last_page(client)
    middle = last // 2
    deep = {"far page": f"page={middle}", "last page": f"page={last}", "page after it": follow(client, middle)}
    for name, query in deep.items():
        first, again = ask(client, query)
        found[name] = {**again, "first": first}
    found["whole page"] = timed(lambda: get(client, "/numbers/"))
    found["floor"] = timed(lambda: get(client, "/floor/"))
    found["facets alone"] = {
        "first": statistics.median(cold_facets("country=US&tendlc=failed") for _ in range(5)),
        **timed(lambda: count("country=US&tendlc=failed")),
    }
    return found


def ask(client: Client, query: str) -> tuple[float, dict[str, Any]]:
    """The first time in an edition, and again."""
    forget()
    began = time.perf_counter()
    get(client, f"/numbers/?{query}", PIECE)
    first = (time.perf_counter() - began) * 1000
    return first, timed(lambda: get(client, f"/numbers/?{query}", PIECE))


def forget() -> None:
    """Everything that was kept of this edition, but for what every page needs."""
    facets.counted.cache_clear()
    facets.cells_of.cache_clear()
    paging._starts.clear()


def cold_facets(text: str) -> float:
    forget()
    began = time.perf_counter()
    count(text)
    return (time.perf_counter() - began) * 1000


def count(text: str) -> None:
    accounts = {str(account.pk): account.name for account in Account.objects.all()}
    facets.count_facets(InventoryQuery.read(QueryDict(text), accounts), directory.current_edition())


def get(client: Client, address: str, headers: Mapping[str, str] | None = None) -> bytes:
    answer = client.get(address, headers=headers or {})
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}")
    return bytes(answer.content)


def timed(request: Callable[[], object], runs: int = 7) -> dict[str, Any]:
    with CaptureQueriesContext(connection) as queries:
        request()
    taken = []
    deadline = time.perf_counter() + 20
    for _ in range(runs):
        began = time.perf_counter()
        request()
        taken.append((time.perf_counter() - began) * 1000)
        if time.perf_counter() > deadline:
            break
    return {"ms": statistics.median(taken), "queries": len(queries)}


def last_page(client: Client) -> int:
    total = sum(each for presence, each in Tally.objects.values_list("presence", "count") if presence != "released")
    return -(-total // 50)


def follow(client: Client, page: int) -> str:
    """The query of the link that leads on from a page in the middle."""
    text = get(client, f"/numbers/?page={page}", PIECE).decode()
    link = re.search(r'id="page-next" href="/numbers/\?([^"]+)"', text)
    if link is None:
        raise RuntimeError("there is no next page")
    return html.unescape(link[1])


def theirs(client: Client) -> dict[str, Any]:
    plain, faceted = "/plain/numbers/phonenumber/", "/faceted/numbers/phonenumber/"
    asked = {
        "list": plain,
        "facet": f"{plain}?number_type__exact=toll_free",
        "facets": f"{faceted}?country=US&tendlc_status__exact=failed",
        "last page": f"{plain}?p={last_page(client) - 1}",
        "sort alias": f"{plain}?o=2",
        "sort type": f"{plain}?o=-4",
        **{name: f"{plain}?q={words}" for name, words in SEARCHED.items()},
    }
    return {name: timed(lambda address=address: get(client, address), runs=3) for name, address in asked.items()}


def export(client: Client) -> dict[str, float]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    stream = iter(client.get("/numbers/export/?columns=all").streaming_content)
    next(stream), next(stream)
    first = time.perf_counter() - began
    rows = sum(chunk.count(b"\n") for chunk in stream)
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"first_seconds": first, "rows_per_second": rows / seconds, "more_mb": (after - before) / 1024}


def weigh(client: Client) -> dict[str, int]:
    """Of the first view and of a fragment, compressed."""
    files = [*Path("static/css").glob("*.css"), Path("static/js/app.js"), HTMX]
    page = len(gzip.compress(get(client, "/numbers/"), 9))
    static = sum(len(gzip.compress(file.read_bytes(), 9)) for file in files)
    return {"first view": page + static, "fragment": len(gzip.compress(get(client, "/numbers/", PIECE), 9))}


if __name__ == "__main__":
    main(int(sys.argv[1]))
