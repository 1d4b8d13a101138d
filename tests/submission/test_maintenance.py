"""Maintenance windows: the setting at its edges, and what workers and the nightly sync do inside one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tms_pipeline.operations.nightly import nightly_sync
from tms_pipeline.settings import SettingsError, load_settings
from tms_pipeline.ssg.errors import SsgError
from tms_pipeline.submission.gate import Gate
from tms_pipeline.submission.maintenance import SINGAPORE, closed_until, windows_of

ALWAYS = "daily 00:00-24:00"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SINGAPORE)


@pytest.mark.parametrize(
    ("setting", "moment", "until"),
    [
        ("", "2026-11-22 03:00", None),
        ("Sun 02:00-06:00", "2026-11-22 01:59:59", None),
        ("Sun 02:00-06:00", "2026-11-22 02:00", "2026-11-22 06:00"),
        ("sun 02:00 - 06:00", "2026-11-22 05:59:59", "2026-11-22 06:00"),
        ("Sun 02:00-06:00", "2026-11-22 06:00", None),
        ("Sun 02:00-06:00", "2026-11-23 03:00", None),
        ("Sat 22:00-02:00", "2026-11-22 01:59", "2026-11-22 02:00"),
        ("Sat 22:00-02:00", "2026-11-21 21:59", None),
        ("Sat 22:00-02:00", "2026-11-22 22:30", None),
        ("Sun 22:00-24:00", "2026-11-22 23:59:59", "2026-11-23 00:00"),
        ("Sun 22:00-24:00; Mon 00:00-01:00", "2026-11-22 23:00", "2026-11-23 01:00"),
        ("Sun 02:00-06:00; Sun 04:00-08:00", "2026-11-22 03:00", "2026-11-22 08:00"),
        ("daily 23:30-00:30", "2026-11-25 00:10", "2026-11-25 00:30"),
        ("2026-12-24 00:00-2026-12-25 06:00", "2026-12-23 23:59:59", None),
        ("2026-12-24 00:00-2026-12-25 06:00", "2026-12-24 00:00", "2026-12-25 06:00"),
        ("2026-12-24 00:00-2026-12-25 06:00", "2026-12-25 06:00", None),
        ("2026-12-24 22:00-23:00", "2026-12-24 22:30", "2026-12-24 23:00"),
    ],
)
def test_a_window_holds_its_first_moment_and_not_its_last(setting: str, moment: str, until: str | None) -> None:
    found = closed_until(windows_of(setting), at(moment))
    assert found == (at(until) if until else None)


def test_a_moment_of_any_zone_is_looked_at_in_singapore_time() -> None:
    assert closed_until(windows_of("Sun 02:00-06:00"), datetime(2026, 11, 21, 18, 0, tzinfo=UTC)) == at("2026-11-22 06:00")
    assert closed_until(windows_of("Sun 02:00-06:00"), datetime(2026, 11, 22, 2, 0, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    "text",
    ["Sunday 02:00-06:00", "Sun 2-6", "Sun 02:00-02:00", "Sun 25:00-26:00", "Sun 24:00-02:00", "Sun 02:60-03:00",
     "2026-02-30 00:00-06:00", "2026-12-25 06:00-2026-12-24 00:00", "2026-12-24 22:00-02:00", "tonight"],
)  # fmt: skip
def test_a_window_that_makes_no_sense_is_refused_at_start_in_one_sentence(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^The setting SSG_MAINTENANCE is wrong: .*\. Correct it in .*\.$"):
        load_settings(ssg_maintenance=text)


def test_a_wrong_approval_policy_is_refused_at_start_in_one_sentence() -> None:
    with pytest.raises(SettingsError, match=r"^The setting TMS_APPROVAL_POLICY is wrong: .*enrolment:maybe.*\.$"):
        load_settings(TMS_APPROVAL_POLICY="enrolment:maybe")


def test_no_call_is_begun_inside_a_window_and_everything_else_goes_on(site, term_template) -> None:  # type: ignore[no-untyped-def]
    with site.world(term_template, ssg_maintenance=ALWAYS) as world:
        plan_id, plan = world.plan()
        world.approve(plan_id, plan)
        done = world.work(patience=0.2)
        assert done.resting.startswith("SSG is in its maintenance window until") and not done.stopped
        said: list[str] = []
        night = nightly_sync(world.workplace, actor=world.actor(), progress=said.append)
        assert any(line.startswith("SSG is in its maintenance window until") for line in said)
        assert {read.error_code for read in night.pulled.failed()} == {"SSG-MAINTENANCE"}
        assert not night.submitted.work.stopped and night.reports, "reports are written all the same"
        assert world.ssg("GET", "counts")["writes"] == {} and world.ssg("GET", "counts").get("reads", {}) == {}
        assert world.value("SELECT sum(attempts) FROM outbox.submission") == 0
        assert world.value("SELECT count(*) FROM outbox.submission WHERE lease_owner IS NOT NULL") == 0


def test_what_is_in_hand_when_a_window_opens_is_finished(site, term_template) -> None:  # type: ignore[no-untyped-def]
    """The window opens in mid-call: that call is answered and its outcome kept, the next one is not begun."""
    opens = datetime.now(SINGAPORE) + timedelta(minutes=1)
    setting = f"{opens:%Y-%m-%d %H:%M}-{opens + timedelta(hours=1):%Y-%m-%d %H:%M}"
    with site.world(term_template, ssg_maintenance=setting) as world:
        before, inside = opens - timedelta(minutes=2), opens + timedelta(minutes=2)
        Gate(world.workplace, clock=lambda: before).before("x")
        with pytest.raises(SsgError, match="until") as stopped:
            Gate(world.workplace, clock=lambda: inside).before("x")
        assert stopped.value.code == "SSG-MAINTENANCE"
        plan_id, plan = world.plan()
        world.approve(plan_id, plan)
        from tms_pipeline.operations.ssg_access import client_config
        from tms_pipeline.ssg.client import SsgClient

        def clock() -> datetime:
            return inside if world.states().get("accepted") else before

        gate = Gate(world.workplace, spacing_seconds=0.001, clock=clock)
        with SsgClient(client_config(world.workplace), gate=gate) as client:
            world.kept = client
            world.work(patience=0.0, threads=1)
        states = world.states()
        assert states.get("accepted", 0) >= 1 and set(states) <= {"accepted", "ready", "unknown"}
        assert world.value("SELECT count(*) FROM outbox.submission WHERE lease_owner IS NOT NULL") == 0
        assert world.value("SELECT max(attempts) FROM outbox.submission WHERE state = 'ready'") == 0


@pytest.mark.parametrize(
    "text",
    ["enrolment", "enrolment:3", "enrolment:3,5", "cat:3,5%", "course:3,5%", "fee:-1,5%", "fee:3,101%",
     "fee:3,5%; fee:4,6%"],
)  # fmt: skip
def test_a_guard_that_makes_no_sense_is_refused_at_start_in_one_sentence(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^The setting TMS_GUARD_KINDS is wrong: .*\.$"):
        load_settings(TMS_GUARD_KINDS=text)
