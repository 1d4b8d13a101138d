"""Verbs of the main job: demo, sync, up, reconcile."""

from __future__ import annotations

from typing import Annotated

import typer

from tms_pipeline.cli.output import FINDINGS, emit, plainly, say, step


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    for verb in (demo, sync, up, down, reconcile):
        app.command()(verb)


@plainly
def demo(
    rows: Annotated[int, typer.Option(help="At least so many attendance marks in the sample workbooks.")] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the made-up term.")] = 2026,
) -> None:
    """Show the whole mission on made-up workbooks: drop, take in, submit to the simulator, reconcile, report."""
    import time

    from tms_pipeline.cli.summary_words import say_summary
    from tms_pipeline.operations.demo import run_demo
    from tms_pipeline.operations.summary import summary
    from tms_pipeline.settings import load_settings
    from tms_pipeline.workplace import open_workplace

    started = time.monotonic()
    settings = load_settings()
    say("tms demo: a made-up term of Hawker Boys, submitted to an SSG simulator on this machine.")
    done = run_demo(settings, rows=rows, seed=seed, progress=step)
    with open_workplace(settings) as workplace:
        found = summary(workplace)
    say()
    say_summary(found, home=str(settings.home))
    if not done.uploads:
        say(f"The same {done.dropped} files again: already taken in, nothing to do, nothing sent to SSG.")
    say(f"Done in {time.monotonic() - started:.0f} s. To look at it in the Dagster UI:  make up")


@plainly
def sync(
    json_: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Take in the inbox and run the nightly sync now, without the UI."""
    from tms_pipeline.cli.summary_words import say_summary
    from tms_pipeline.intake.everything import take_in_all
    from tms_pipeline.operations.at_work import at_work
    from tms_pipeline.operations.nightly import nightly_sync
    from tms_pipeline.operations.summary import summary

    with at_work() as workplace:
        actor = workplace.actor()
        for name, taken in take_in_all(workplace, actor=actor):
            step(f"{name}: {taken}")
        done = nightly_sync(workplace, actor=actor, progress=step)
        found = summary(workplace)
        home = str(workplace.settings.home)
    emit(found, as_json=json_, words=lambda: say_summary(found, home=home))
    # In a maintenance window nothing is wrong: it was said until when SSG is left alone, and the rest was done.
    unread = [read for read in done.pulled.failed() if read.error_code != "SSG-MAINTENANCE"]
    for failed in unread[:1]:
        step(f"{len(unread)} scopes of SSG were not read, and nothing was changed there: {failed.sentence}")
    if done.submitted.work.stopped:
        step(f"stopped: {done.submitted.work.stopped}")
    if done.submitted.work.stopped or found["dead_letters"] or unread:
        raise typer.Exit(FINDINGS)


@plainly
def up() -> None:
    """Start everything: Postgres, simulator, Dagster's webserver and daemon. Ctrl-C stops all of it."""
    from tms_pipeline.operations.up import run_everything

    run_everything(say=say)


@plainly
def down() -> None:
    """Stop what ``tms up`` started in another terminal."""
    from tms_pipeline.operations.up import stop_everything
    from tms_pipeline.settings import load_settings

    say("Stopped." if stop_everything(load_settings()) else "Nothing of this installation is running.")


@plainly
def reconcile(
    whole: Annotated[bool, typer.Option("--whole", help="Read all of SSG, not only what changed.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Read SSG and compare all sides now, without sending anything. Exit 1 if they disagree."""
    from tms_pipeline.cli.reconciling import SHOWN, facts, lines, print_json, say_facts
    from tms_pipeline.mirror.grants import read_grants
    from tms_pipeline.mirror.pull import pull
    from tms_pipeline.operations.at_work import at_work
    from tms_pipeline.operations.ssg_access import ssg_client
    from tms_pipeline.reconcile.review import reconcile as compare

    with at_work() as workplace:
        actor = workplace.actor()
        with ssg_client(workplace) as (client, _):
            pulled = pull(workplace, client, progress=step, whole=whole)
            pulled.reads.append(read_grants(workplace, client, progress=step, whole=whole))
        found = compare(workplace, pulled, actor=actor)
        with workplace.db.transaction() as connection:
            shown = facts(connection, found, pulled.costs(), workplace.today())
            if json_:
                print_json(shown, lines(connection, found["review_id"]))
            else:
                say_facts(shown, lines(connection, found["review_id"], first=SHOWN))
    if shown["discrepancies"]:
        raise typer.Exit(FINDINGS)
