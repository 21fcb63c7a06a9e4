"""What runs say of themselves, told right: findings, who waits for a person, and facts kept beside the numbers."""

import pytest

from phone_numbers.models import Account, SyncRun
from phone_numbers.services.reading import with_compliance
from phone_numbers.views.findings import Kind, findings_of
from phone_numbers.views.standings import count_needing_person, find_situations
from providers.contract import Compliance, RemoteNumber, TenDlc, TenDlcStatus, TollFreeStatus
from providers.paging import ListedNumber
from tests.phone_numbers.rows import make_account
from tests.phone_numbers.scenes import make_held


def test_it_says_that_numbers_would_vanish_of_held_runs_only() -> None:
    held, whole = (SyncRun(state=state, numbers_absent=3) for state in ("held", "complete"))
    assert [(each.kind, each.count) for each in findings_of(held)] == [(Kind.HELD, 3)]
    assert findings_of(whole) == []


def test_it_tells_what_history_knows_and_the_run_did_not_count() -> None:
    (finding,) = findings_of(SyncRun(state="complete"), {Kind.UNCONFIRMED: 2})
    assert (finding.kind, finding.count, finding.listed) == (Kind.UNCONFIRMED, 2, 2)


@pytest.mark.parametrize("decision", ["", "accepted", "dismissed"])
def test_it_asks_for_a_decision_once(db: None, decision: str) -> None:
    held = make_held(1)
    SyncRun.objects.filter(pk=held.pk).update(decision=decision)
    (situation,) = find_situations(Account.objects.all())
    assert situation.hold == (None if decision else held)


@pytest.mark.parametrize("health", Account.Health)
def test_it_counts_where_only_a_person_can_help(db: None, health: str) -> None:
    account = make_account(health=health)
    expected = health in ("auth_failed", "wrong_account", "held")
    assert count_needing_person() == count_needing_person([account]) == expected


def listed_with(fact: Compliance) -> ListedNumber:
    campaign = TenDlc(status=TenDlcStatus.REGISTERED, campaign_id="C1")
    number = RemoteNumber(id="1", e164="+14155550100", tendlc=campaign, toll_free=TollFreeStatus.NOT_APPLICABLE)
    (row,) = with_compliance([ListedNumber.of(number)], {"1": fact})
    return row


def test_it_knows_a_number_for_another_when_only_a_fact_beside_it_differs() -> None:
    facts = (Compliance(), Compliance(tendlc=TenDlc(status=TenDlcStatus.FAILED)))
    assert len({listed_with(fact).digest for fact in facts}) == 2


def test_it_keeps_what_the_row_says_where_the_fact_beside_it_is_silent() -> None:
    kept = listed_with(Compliance()).read()
    assert (kept.tendlc.campaign_id, kept.toll_free) == ("C1", TollFreeStatus.NOT_APPLICABLE)
    told = listed_with(Compliance(toll_free=TollFreeStatus.VERIFIED)).read()
    assert (told.tendlc.campaign_id, told.toll_free) == ("C1", TollFreeStatus.VERIFIED)
