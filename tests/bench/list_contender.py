"""One database of the list's bench, in a process of its own: `python -m tests.bench.list_contender build 100000`.

`build` fills the database that DATABASE_URL names, unless it is full already. `measure` prints one line of JSON: what
each request took, in milliseconds, and how many queries. `serve` prints the names of the requests, and then what each
took whose name it reads. Both sides go through Django's test client, signed in, with all of the product's middleware.
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
from functools import partial
from pathlib import Path
from typing import Any

import django

django.setup()

import django_htmx
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.http import QueryDict
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from phone_numbers.filters import InventoryQuery, directory, facets, found, paging
from phone_numbers.models import Account, PhoneNumber, Tally
from tests.bench.list_rows import seed_numbers
from tests.roles import make_user

HTMX = Path(django_htmx.__file__).parent / "static" / "django_htmx" / "htmx-2.min.js"
PIECE = {"HX-Request": "true"}
MOST_SECONDS = 6
"""Of repeating one request; a slow one is repeated less often."""
OURS = {
    "list": "",
    "facet": "type=toll_free",
    "common facet": "type=local",
    "services": "services=sms,mms&services_match=all",
    "account": "account=1",
    "provider": "provider=twilio",
    "country": "country=US",
    "10DLC": "tendlc=failed",
    "presence": "presence=missing",
    "facets": "country=US&tendlc=failed",
    "application": "application=Support IVR 3",
    "prefix": "prefix=1415",
    "campaign": "campaign=C00007",
    "renewal": "renewal_date__lt=2026-12-05",
    "search selective": "q=0466",
    "search number": "q=(212) 5",
    "search words": "q=clinic north",
    "search common": "q=support",
    **{f"sort {key}": f"sort={key}" for key in ("alias", "account", "services", "voice", "tendlc", "renewal")},
    "sort type": "sort=-type",
    "sort rate": "sort=-rate",
    "250 rows": "per_page=250",
}
PLAIN, FACETED = "/plain/numbers/phonenumber/", "/faceted/numbers/phonenumber/"
THEIRS = {
    "list": PLAIN,
    "facet": f"{PLAIN}?number_type__exact=toll_free",
    "common facet": f"{PLAIN}?number_type__exact=local",
    "account": f"{PLAIN}?account__id__exact=1",
    "country": f"{PLAIN}?country=US",
    "10DLC": f"{PLAIN}?tendlc_status__exact=failed",
    "presence": f"{PLAIN}?presence__exact=missing",
    "facets": f"{FACETED}?country=US&tendlc_status__exact=failed",
    "sort alias": f"{PLAIN}?o=2",
    "sort account": f"{PLAIN}?o=3",
    "sort type": f"{PLAIN}?o=-4",
    "search selective": f"{PLAIN}?q=0466",
    "search number": f"{PLAIN}?q=2125",
    "search words": f"{PLAIN}?q=clinic north",
    "search common": f"{PLAIN}?q=support",
}


@override_settings(ALLOWED_HOSTS=["*"], ROOT_URLCONF="tests.bench.list_admin")
def main(act: str, count: int) -> None:
    call_command("migrate", verbosity=0)
    acts = {"build": lambda: build(count), "measure": measure, "serve": serve}
    say(acts[act]())


def say(what: object) -> None:
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


def build(count: int) -> dict[str, float]:
    began = time.perf_counter()
    if not User.objects.exists():
        seed_numbers(count)
        make_user("superuser")
    return {"seconds": time.perf_counter() - began}


def measure() -> dict[str, Any]:
    """The export first: memory is measured by its peak."""
    Account.objects.update(fresh_at=timezone.now())
    client = sign_in()
    bytes_sent = weigh(client)
    exported = export(client)
    found = {"cells": Tally.objects.count(), "rows": PhoneNumber.objects.count(), "bytes": bytes_sent}
    return {**found, "export": exported, "ours": ours(client), "theirs": theirs(client)}


def sign_in() -> Client:
    client = Client()
    client.force_login(User.objects.get())
    return client


def serve() -> None:
    """Of two sizes, each in a process of its own, one request after the other can be measured in turn."""
    client = sign_in()
    requests = {
        name: partial(get, client, f"/numbers/?{query}", PIECE) for name, query in queries_of(client).items()
    } | {"whole page": partial(get, client, "/numbers/")}
    say(list(requests))
    for name in map(str.strip, sys.stdin):
        say(took(requests[name]))


def queries_of(client: Client) -> dict[str, str]:
    last = last_page()
    middle = last // 2
    far = {"far page": f"page={middle}", "page after it": follow(client, middle), "last page": f"page={last}"}
    return OURS | far


def ours(client: Client) -> dict[str, Any]:
    found = {name: ask(client, query) for name, query in queries_of(client).items()}
    found["whole page"] = timed(lambda: get(client, "/numbers/"))
    found["list again"] = timed(lambda: get(client, "/numbers/", PIECE), runs=31)
    found["floor"] = timed(lambda: get(client, "/floor/"), runs=31)
    found["facets alone"] = {
        "first": statistics.median(cold_facets("country=US&tendlc=failed") for _ in range(5)),
        **timed(lambda: count("country=US&tendlc=failed")),
    }
    return found


def ask(client: Client, query: str) -> dict[str, Any]:
    """The first time in an edition, and again."""
    forget()
    first = took(lambda: get(client, f"/numbers/?{query}", PIECE))
    return {"first": first, **timed(lambda: get(client, f"/numbers/?{query}", PIECE))}


def forget() -> None:
    """Everything that was kept of this edition, but for what every page needs."""
    facets.counted.cache_clear()
    facets.cells_of.cache_clear()
    paging._starts.clear()
    found.in_order.cache_clear()


def cold_facets(text: str) -> float:
    forget()
    return took(lambda: count(text))


def count(text: str) -> None:
    accounts = {str(account.pk): account.name for account in Account.objects.all()}
    facets.count_facets(InventoryQuery.read(QueryDict(text), accounts), directory.current_edition())


def get(client: Client, address: str, headers: Mapping[str, str] | None = None) -> bytes:
    answer = client.get(address, headers=headers or {})
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}")
    return bytes(answer.content)


def took(request: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    request()
    return (time.perf_counter() - began) * 1000


def timed(request: Callable[[], object], runs: int = 9) -> dict[str, Any]:
    with CaptureQueriesContext(connection) as queries:
        request()
    asked = len(queries)
    taken = []
    deadline = time.perf_counter() + MOST_SECONDS
    while len(taken) < runs and (not taken or time.perf_counter() < deadline):
        taken.append(took(request))
    return {"ms": statistics.median(taken), "queries": asked}


def last_page() -> int:
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
    asked = THEIRS | {"last page": f"{PLAIN}?p={last_page()}"}
    return {name: timed(lambda address=address: get(client, address), runs=3) for name, address in asked.items()}


def export(client: Client) -> dict[str, float]:
    before = peak_mb()
    began = time.perf_counter()
    stream = iter(client.get("/numbers/export/?columns=all").streaming_content)
    next(stream), next(stream)
    first = time.perf_counter() - began
    rows = sum(chunk.count(b"\n") for chunk in stream)
    seconds = time.perf_counter() - began
    return {"first_seconds": first, "rows_per_second": rows / seconds, "more_mb": peak_mb() - before}


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def weigh(client: Client) -> dict[str, int]:
    """Of the first view and of a fragment, compressed."""
    page = get(client, "/numbers/")
    linked = re.findall(rb'(?:href|src)="/static/((?:css|js)/[^"]+\.(?:css|js))"', page)
    static = sum(zipped(Path("static", name.decode()).read_bytes()) for name in linked) + zipped(HTMX.read_bytes())
    return {"first view": zipped(page) + static, "fragment": zipped(get(client, "/numbers/", PIECE))}


def zipped(content: bytes) -> int:
    return len(gzip.compress(content, 9))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
