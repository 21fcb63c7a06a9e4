"""Tags, owner and cost centre of numbers. Never sends anything to a provider, and no sync comes here.

Any number of numbers at once, in a fixed number of statements; every difference leaves a line of history.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from phone_numbers.models import Event, LocalFields, Tag
from phone_numbers.models.local import LONGEST_COST_CENTRE, LONGEST_OWNER, LONGEST_TAG
from phone_numbers.services.batches import batches

TITLES: Mapping[str, str] = {"tags": "Tags", "owner": "Owner", "cost_centre": "Cost centre"}
TEXTS = ("owner", "cost_centre")
LENGTHS: Mapping[str, int] = {"owner": LONGEST_OWNER, "cost_centre": LONGEST_COST_CENTRE}
MOST_TAGS = 20
BATCH = 1000
TAGGED = Tag.numbers.through

Values = Mapping[str, str]
UNSEEN: Values = {}


class LocalRefused(Exception):
    """This cannot be stored; `str()` is the sentence, `field` what it is about."""

    def __init__(self, sentence: str, field: str) -> None:
        super().__init__(sentence)
        self.field = field


class LocalStale(Exception):
    """Somebody else was faster: `current` is what a number has now."""

    def __init__(self, current: Values) -> None:
        super().__init__("Somebody else changed this since the page was loaded. Nothing was stored.")
        self.current = current


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalEdit:
    """What to change of every number. None, or no tags, leaves things as they are; "" clears."""

    owner: str | None = None
    cost_centre: str | None = None
    add_tags: Sequence[str] = ()
    remove_tags: Sequence[str] = ()


def edit_local_fields(
    numbers: Collection[int], edit: LocalEdit, *, user: User, seen: Values = UNSEEN, request_id: str = ""
) -> int:
    """Give all these numbers the same; meant for some thousands at a time. Returns how many are different now.

    `seen` is what the operator saw of texts that must be so still. Raises LocalRefused and LocalStale, and then
    nothing was stored.
    """
    texts = canonical({name: text for name in TEXTS if (text := getattr(edit, name)) is not None})
    add, remove = tags_of(edit.add_tags), tags_of(edit.remove_tags)
    cause = {"actor": user, "actor_name": user.get_username(), "request_id": request_id}
    with transaction.atomic():
        pks = lock_local(numbers)
        before = read_values(pks)
        check_seen(before.values(), texts, seen)
        if texts:
            LocalFields.objects.filter(pk__in=pks).update(**texts)
        change_tags(pks, add, remove)
        after = read_values(pks)
        check_tag_count(after.values())
        events = [event for pk in pks for event in history(pk, before[pk], after[pk], cause)]
        Event.objects.bulk_create(events)
    return len({event.number_id for event in events})


def edit_many(numbers: Collection[int], edit: LocalEdit, *, user: User, request_id: str = "") -> int:
    """The same for any number of them: all are different afterwards, or none. Raises LocalRefused."""
    pks = sorted(set(numbers))
    with transaction.atomic():
        return sum(edit_local_fields(some, edit, user=user, request_id=request_id) for some in batches(pks, BATCH))


def lock_local(numbers: Collection[int]) -> list[int]:
    """Their local fields, locked; the numbers' own rows are left to the syncs. Returns the ids in order."""
    pks = sorted(set(numbers))
    LocalFields.objects.bulk_create([LocalFields(number_id=pk) for pk in pks], ignore_conflicts=True)
    list(LocalFields.objects.select_for_update().filter(pk__in=pks).order_by("pk").values_list("pk"))
    return pks


def read_values(numbers: Collection[int]) -> dict[int, dict[str, str]]:
    """Number id to all its fields, each as one text."""
    values = {pk: dict.fromkeys(TITLES, "") for pk in numbers}
    for pk, *texts in LocalFields.objects.filter(pk__in=numbers).values_list("pk", *TEXTS):
        values[pk] |= dict(zip(TEXTS, texts, strict=True))
    names: dict[int, list[str]] = {}
    tagged = TAGGED.objects.filter(phonenumber__in=numbers).order_by("tag__folded")
    for pk, name in tagged.values_list("phonenumber_id", "tag__name"):
        names.setdefault(pk, []).append(name)
    for pk, found in names.items():
        values[pk]["tags"] = ", ".join(found)
    return values


def set_values(wanted: Mapping[int, Values]) -> None:
    """Give each of these numbers, whose local fields are locked, its own values. What is not named stays."""
    texts = {pk: values for pk, values in wanted.items() if values.keys() & {*TEXTS}}
    rows = LocalFields.objects.in_bulk(texts)
    for pk, values in texts.items():
        for name in values.keys() & {*TEXTS}:
            setattr(rows[pk], name, values[name])
    LocalFields.objects.bulk_create(rows.values(), update_conflicts=True, unique_fields=["number"], update_fields=TEXTS)
    set_tags({pk: tags_of([values["tags"]]) for pk, values in wanted.items() if "tags" in values})


def set_tags(wanted: Mapping[int, Sequence[str]]) -> None:
    tags = {tag.folded: tag.pk for tag in find_tags([name for names in wanted.values() for name in names])}
    missing = {(pk, tags[name.casefold()]) for pk, names in wanted.items() for name in names}
    linked = TAGGED.objects.filter(phonenumber__in=wanted).values_list("pk", "phonenumber_id", "tag_id")
    gone = []
    for link, number, tag in linked:
        if (number, tag) in missing:
            missing.remove((number, tag))
        else:
            gone.append(link)
    TAGGED.objects.filter(pk__in=gone).delete()
    TAGGED.objects.bulk_create([TAGGED(phonenumber_id=number, tag_id=tag) for number, tag in sorted(missing)])


def change_tags(numbers: Iterable[int], add: Sequence[str], remove: Sequence[str]) -> None:
    if remove:
        TAGGED.objects.filter(phonenumber__in=numbers, tag__folded__in=folded(remove)).delete()
    tags = find_tags(add)
    TAGGED.objects.bulk_create(
        [TAGGED(phonenumber_id=pk, tag_id=tag.pk) for pk in numbers for tag in tags], ignore_conflicts=True
    )


def find_tags(names: Sequence[str]) -> list[Tag]:
    """The tags of these names, made where there is none yet."""
    if not names:
        return []
    first = {name.casefold(): name for name in reversed(names)}
    new = [Tag(name=name, folded=key) for key, name in sorted(first.items())]
    Tag.objects.bulk_create(new, ignore_conflicts=True)
    return list(Tag.objects.filter(folded__in=first))


def history(pk: int, before: Values, after: Values, cause: Mapping[str, Any]) -> list[Event]:
    return [
        Event(number_id=pk, kind=Event.Kind.LOCAL, field=name, before=before[name], after=after[name], **cause)
        for name in TITLES
        if before[name] != after[name]
    ]


def canonical(texts: Values) -> dict[str, str]:
    """As they are stored, with single spaces. Raises LocalRefused."""
    checked = {name: one_line(text, name) for name, text in texts.items()}
    for name, text in checked.items():
        if len(text) > LENGTHS[name]:
            raise LocalRefused(f"{TITLES[name]}: at most {LENGTHS[name]} characters.", name)
    return checked


def one_line(text: str, name: str) -> str:
    if any(ord(character) < 32 and not character.isspace() for character in text):
        raise LocalRefused(f"{TITLES[name]} must be plain text.", name)
    return " ".join(text.split())


def tags_of(given: Iterable[str]) -> list[str]:
    """The names in these lists with commas, each once in its first spelling. Raises LocalRefused."""
    names: dict[str, str] = {}
    for name in filter(None, (one_line(each, "tags") for text in given for each in text.split(","))):
        if len(name) > LONGEST_TAG:
            raise LocalRefused(f"“{name[:60]}” is too long for a tag: at most {LONGEST_TAG} characters.", "tags")
        names.setdefault(name.casefold(), name)
    return list(names.values())


def check_seen(current: Iterable[Values], texts: Values, seen: Values) -> None:
    for values in current:
        if any(values[name] not in (seen[name], texts[name]) for name in texts.keys() & seen.keys()):
            raise LocalStale(values)


def check_tag_count(values: Iterable[Values]) -> None:
    if any(each["tags"].count(",") >= MOST_TAGS for each in values):
        raise LocalRefused(f"A number takes at most {MOST_TAGS} tags. Nothing was stored.", "tags")


def folded(names: Iterable[str]) -> set[str]:
    return {name.casefold() for name in names}
