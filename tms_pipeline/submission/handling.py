"""Handling one submission: send it, or search for it, and bring it to its next state.

The intent is committed before the call and the outcome after it, in transactions of their own. Between them lies
the unknown, which is left only by a search.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from functools import cache

from tms_pipeline.identity.marks import Marker
from tms_pipeline.ssg.client import SsgClient
from tms_pipeline.ssg.errors import SsgError
from tms_pipeline.store.queries import query
from tms_pipeline.submission.beginning import Begun
from tms_pipeline.submission.claimed import Claimed
from tms_pipeline.submission.crashpoints import crashpoint
from tms_pipeline.submission.fresh_runs import until_its_run_is_seen
from tms_pipeline.submission.gate import pause_calls
from tms_pipeline.submission.looking import Neighbours, look, same_content
from tms_pipeline.submission.outcomes import Outcome, Outcomes
from tms_pipeline.submission.record import OpenRecord, load
from tms_pipeline.submission.sending import Sent, send
from tms_pipeline.submission.states import State
from tms_pipeline.submission.verdict import (
    Pace,
    Stop,
    Verdict,
    after_failed_search,
    after_failure,
    after_found_gone,
    after_nothing_found,
)
from tms_pipeline.workplace import Workplace

# What SSG still shows after it was cancelled or voided.
_KEPT_WHEN_GONE = frozenset({"enrolment", "assessment"})
Halt = Callable[[Stop, str, Claimed], None]


class Handler:
    """Takes one claimed submission to its next state."""

    def __init__(
        self, workplace: Workplace, client: SsgClient, marker: Marker, outcomes: Outcomes, pace: Pace,
        chance: random.Random, halt: Halt, flush: Callable[[], None],
    ) -> None:
        """``halt`` is told when this sort of call, or every call, would only fail now; ``flush`` waits until what came
        back before is committed."""
        self.workplace, self.client, self.marker = workplace, client, marker
        self.outcomes, self.pace, self.chance, self._halt, self._flush = outcomes, pace, chance, halt, flush

    def handle(self, item: Claimed, begun: Begun | None) -> Outcome | State:
        """Send what was begun, search for what was not: its outcome, still to be written, or the state it is in now.

        One poison submission never stops the others: whatever happens here ends in a state of its own.
        """
        try:
            return self._search(item) if begun is None else self._send(item, begun)
        except Exception as error:
            return self.outcomes.after_bug(item, error)

    def _send(self, item: Claimed, begun: Begun) -> Outcome | State:
        attempt, record, trainers = begun.attempt, begun.record, begun.trainers
        crashpoint("after_intent", item.call)
        try:
            sent = send(self.client, record, item.action, item.correlation_id, trainers=trainers)
        except SsgError as error:
            return self._failed(item, attempt, record, error)
        crashpoint("after_call", item.call)
        if sent.reference is None:
            # SSG names no id for a new session or trainer: it did it, and a look tells the id.
            try:
                found = look(self.client, self.marker, record, item.action, self._neighbours(item))
            except SsgError as error:
                verdict = Verdict(state=State.UNKNOWN, sent=True, wait=self.pace.settle)
                return self._settled(item, attempt, verdict, error)
            if not found:
                wait = max(self.pace.settle, 1.0)
                return self._settled(item, attempt, Verdict(state=State.UNKNOWN, sent=True, wait=wait))
            sent = Sent(found[0].ssg_ref)
        return self.outcomes.accepted(item, attempt, record, sent)

    def _failed(self, item: Claimed, attempt: int, record: OpenRecord, error: SsgError) -> Outcome:
        verdict = after_failure(error, item.action, attempts=item.attempts + 1, age=item.age, pace=self.pace,
                                chance=self.chance)
        verdict = until_its_run_is_seen(self.workplace, item, error, verdict, self.pace)
        self._slow_down(error)
        if verdict.done:
            sent = Sent(item.ssg_ref or record.their_ref)
            return self.outcomes.accepted(item, attempt, record, sent, how=verdict.reason)
        return self._settled(item, attempt, verdict, error)

    def _search(self, item: Claimed) -> Outcome | State:
        """Look before anything else; adopt what is there, send again only if a successful look found nothing."""
        self._flush()
        attempt, answered = self.outcomes.search_begins(item)
        with self.workplace.db.transaction() as connection:
            record = load(connection, self.workplace.rings, item.kind, item.key)
        if record is None:
            return self._settled(
                item, attempt, Verdict(state=State.DEAD, sent=True, reason="the record is gone from the register")
            )
        if item.action != "create" and item.ssg_ref:
            record.row["their_ref"] = item.ssg_ref  # the very record that the plan was about
        try:
            found = look(self.client, self.marker, record, item.action, self._neighbours(item))
        except SsgError as error:
            self._slow_down(error)
            verdict = after_failed_search(error, searches=item.searches + 1, age=item.age, pace=self.pace,
                                          chance=self.chance)
            return self._settled(item, attempt, verdict, error)
        crashpoint("after_search", item.call)
        seen = found[0] if found else None
        same = seen is not None and (same_content(self.marker, record, seen) or self.outcomes.as_sent(item, found))
        if item.action == "cancel" and (seen is None or not seen.live):
            verdict = after_found_gone(shown=seen is not None, searches=answered + 1, pace=self.pace)
            if verdict.done:
                return self.outcomes.accepted(item, attempt, record, Sent(item.ssg_ref), how=verdict.reason)
            return self._settled(item, attempt, verdict)
        if item.action != "cancel" and seen is not None and seen.live and (same or _is_this(item)):
            self._flush()  # whose reference another record of ours has just got must be known
            if self.outcomes.adopted(item, attempt, record, found, same=same):
                return State.ACCEPTED
            return self._settled(item, attempt, Verdict(state=State.UNKNOWN, sent=True, wait=self.pace.first))
        if (
            seen is not None and not seen.live and item.action == "create" and item.kind in _KEPT_WHEN_GONE
            and self.outcomes.adopted(item, attempt, record, found, same=True, how="found at SSG, taken away again")
        ):
            return State.ACCEPTED
        verdict = after_nothing_found(
            item.action, attempts=item.attempts, searches=answered + 1, sent_ago=item.sent_ago, pace=self.pace
        )
        return self._settled(item, attempt, verdict)

    def _settled(self, item: Claimed, attempt: int, verdict: Verdict, error: SsgError | None = None) -> Outcome:
        if verdict.stop:
            self._halt(verdict.stop, error.sentence if error else "", item)
        return Outcome(item, attempt, verdict, error)

    def _slow_down(self, error: SsgError) -> None:
        if error.retry_after_seconds:
            pause_calls(self.workplace, error.retry_after_seconds)

    def _neighbours(self, item: Claimed) -> Neighbours:
        def bound(kind: str, references: Iterable[str]) -> set[str]:
            return self._references("outbox/bound", kind, refs=list(references), key=item.key)

        def older(kind: str, references: Iterable[str]) -> set[str]:
            return self._references("outbox/older", kind, refs=list(references), id=item.submission_id)

        @cache
        def trainers() -> dict[str, str]:
            return dict(self.workplace.db.rows(query("outbox/trainers_there")))

        return Neighbours(bound, older, lambda seen: self.outcomes.as_sent(item, [seen]), trainers)

    def _references(self, name: str, kind: str, **parameters: object) -> set[str]:
        with self.workplace.db.transaction() as connection:
            rows = connection.execute(query(name, mirror=f"mirror.{kind}"), parameters)
            return {row[0] for row in rows}


def _is_this(item: Claimed) -> bool:
    """A create is done as soon as the record is there, whatever it holds; what differs is the next plan's matter."""
    return item.action == "create" and item.kind not in ("attendance", "fee")
