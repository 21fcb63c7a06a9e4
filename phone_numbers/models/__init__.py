"""What the database holds. Rules live in `phone_numbers.services`, questions in `phone_numbers.querysets`."""

from phone_numbers.models.accounts import Account, Application, Subaccount
from phone_numbers.models.changes import Change, ChangeSet, Crew
from phone_numbers.models.events import DriftVerdict, Event, PlanEvent
from phone_numbers.models.lists import NumberList
from phone_numbers.models.local import LocalFields, Note, Tag
from phone_numbers.models.numbers import HeldNumber, NumberPayload, PhoneNumber
from phone_numbers.models.preferences import ListPreferences, SavedView
from phone_numbers.models.pulse import Pulse
from phone_numbers.models.sequence import Sequence
from phone_numbers.models.surprises import Surprise
from phone_numbers.models.syncs import SyncRun
from phone_numbers.models.tallies import Edition, Tally

__all__ = [
    "Account",
    "Application",
    "Change",
    "ChangeSet",
    "Crew",
    "DriftVerdict",
    "Edition",
    "Event",
    "HeldNumber",
    "ListPreferences",
    "LocalFields",
    "Note",
    "NumberList",
    "NumberPayload",
    "PhoneNumber",
    "PlanEvent",
    "Pulse",
    "SavedView",
    "Sequence",
    "Subaccount",
    "Surprise",
    "SyncRun",
    "Tag",
    "Tally",
]
