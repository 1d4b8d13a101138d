"""Everything in the inbox: received, taken in and handed back, as the command line does it without Dagster."""

from __future__ import annotations

from collections.abc import Iterator

from tms_pipeline.audit.log import Actor
from tms_pipeline.intake import results
from tms_pipeline.intake.receiving import receive_inbox, received_uploads
from tms_pipeline.intake.second_look import look_again
from tms_pipeline.intake.service import take_in
from tms_pipeline.workplace import Workplace


def take_in_all(workplace: Workplace, *, actor: Actor) -> Iterator[tuple[str, str]]:
    """Take in every file of the inbox; yields (upload id, sentence). A person who asks now is not kept waiting for
    files to stand still."""
    while True:
        received = receive_inbox(workplace, {}, stable_seconds=0)
        for upload_id in received.again:
            yield upload_id, "already taken in, nothing to do"
        uploads = received_uploads(workplace)
        for upload_id, _ in uploads:
            taken = take_in(workplace, upload_id, actor=actor)
            moved = look_again(workplace, actor=actor)
            for other in {upload_id, *moved}:
                results.hand_back(workplace, other)
            yield upload_id, taken.sentence
        if not uploads and not received.again:
            return
