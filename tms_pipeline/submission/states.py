"""The states of a submission and the moves between them: a table, nothing else decides.

Pure. Postgres holds the same table (outbox.move) and refuses every other move by trigger.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a submission stands."""

    PLANNED = "planned"  # in a plan, not approved yet
    HELD = "held"  # withheld by a guard or held by a person
    READY = "ready"  # approved; may be sent as soon as its parents live at SSG
    SENDING = "sending"  # intent committed; from here to the outcome lies the unknown
    ACCEPTED = "accepted"  # SSG holds it, we hold its reference
    RETRY = "retry"  # failed for certain, will be sent again by itself
    UNKNOWN = "unknown"  # sent, cannot tell: left only by a search
    REJECTED = "rejected"  # SSG refused it for a reason that sending again does not cure: a dead letter
    DEAD = "dead"  # given up after bounded attempts or age: a dead letter
    SUPERSEDED = "superseded"  # a newer plan took its place before it was sent
    DISCARDED = "discarded"  # a person gave it up, with a reason


MOVES: dict[State, frozenset[State]] = {
    State.PLANNED: frozenset({State.READY, State.HELD, State.SUPERSEDED}),
    # A release leads back to planned: what was withheld needs its approval like everything else.
    State.HELD: frozenset({State.PLANNED, State.SUPERSEDED, State.DISCARDED}),
    # To planned when the approval ran out; to dead when our own code cannot even begin it.
    State.READY: frozenset({State.SENDING, State.HELD, State.PLANNED, State.SUPERSEDED, State.DEAD}),
    # To ready only when nothing was sent: an open breaker, the kill switch, credentials that do not work.
    State.SENDING: frozenset(
        {State.ACCEPTED, State.RETRY, State.UNKNOWN, State.REJECTED, State.DEAD, State.READY}
    ),
    State.RETRY: frozenset({State.SENDING, State.HELD, State.PLANNED, State.SUPERSEDED, State.DEAD}),
    # To ready only after a successful search found nothing.
    State.UNKNOWN: frozenset({State.ACCEPTED, State.READY, State.DEAD}),
    # To unknown when the last that is known of it is that it was sent: a person's retry searches first.
    State.REJECTED: frozenset({State.READY, State.DISCARDED, State.SUPERSEDED}),
    State.DEAD: frozenset({State.READY, State.UNKNOWN, State.DISCARDED, State.SUPERSEDED}),
    State.ACCEPTED: frozenset(),
    State.SUPERSEDED: frozenset(),
    State.DISCARDED: frozenset(),
}

# What a person does about a dead letter that was sent and never found.
SENT_AND_GIVEN_UP = (
    "Look on TPGateway whether SSG has it, then retry it ('tms dead-letters retry'): SSG is searched first. Until then "
    "nothing else of this record is sent."
)
DEAD_LETTER = frozenset({State.REJECTED, State.DEAD})
SENT_AGAIN = frozenset({State.READY, State.RETRY})
UNDER_WAY = frozenset(
    {State.PLANNED, State.HELD, State.READY, State.SENDING, State.RETRY, State.UNKNOWN, State.REJECTED, State.DEAD}
)


class IllegalMove(Exception):
    """A submission was asked to make a move that the table does not hold."""


def move(from_state: State, to_state: State) -> State:
    """The state after the move. Raises IllegalMove if the table does not hold it."""
    if to_state not in MOVES[from_state]:
        raise IllegalMove(f"a submission cannot move from {from_state} to {to_state}")
    return to_state


def moves() -> list[tuple[str, str]]:
    """Every legal move, sorted, as Postgres holds them."""
    return sorted((str(start), str(end)) for start, ends in MOVES.items() for end in ends)
