"""Verbs about alarms: what is wrong now, who knows, who takes care, and the morning's digest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tms_pipeline.cli.output import FINDINGS, emit, plainly, say

if TYPE_CHECKING:
    from tms_pipeline.alarms.delivery import Delivered

alarms_app = typer.Typer(help="What needs a person now, and who was told.")
Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    alarms_app.callback(invoke_without_command=True)(_open)
    alarms_app.command("list")(list_)
    alarms_app.command("watch")(watch)
    alarms_app.command("send")(send)
    alarms_app.command("ack")(ack)
    alarms_app.command("messages")(messages)
    alarms_app.command("test")(test)
    app.add_typer(alarms_app, name="alarms")
    app.command()(digest)


def _open(context: typer.Context) -> None:
    """What needs a person now, and who was told. Without a verb: the list of open alarms."""
    if context.invoked_subcommand is None:
        list_(all_=False, json_=False)


@plainly
def list_(
    all_: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False, json_: Json = False
) -> None:
    """List open alarms, errors first. Exit 1 if there are any."""
    from tms_pipeline.alarms.standing import alarms
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        found = alarms(workplace, all_=all_)

    def words() -> None:
        for alarm in found:
            say(_line(alarm))
        if not found:
            say("No alarm is open." if not all_ else "There were no alarms.")

    emit(found, as_json=json_, words=words)
    if any(alarm["ended_at"] is None for alarm in found):
        raise typer.Exit(FINDINGS)


def _line(alarm: dict[str, Any]) -> str:
    if alarm["acknowledged_by"]:
        told = f"{alarm['acknowledged_by']} takes care: {alarm['acknowledged_why']}"
    elif alarm["messages"]:
        told = f"{alarm['sent']} of {alarm['messages']} messages sent"
    else:
        told = "told nobody"
    over = f"; over since {alarm['ended_at']:%Y-%m-%d}" if alarm["ended_at"] else ""
    return (
        f"{alarm['alarm_id']:>5}  {alarm['severity']:<7}  {alarm['sentence']} {alarm['what_to_do']} "
        f"[{alarm['topic']}, for {alarm['role']}, since {alarm['raised_at']:%Y-%m-%d %H:%M}; {told}{over}]"
    )


@plainly
def watch(json_: Json = False) -> None:
    """Look now: record what is new, end what is over, send to who is set up to hear. Exit 1 if any is open."""
    from tms_pipeline.alarms.watch import watch as look
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        done = look(workplace)
    found = {
        "raised": [vars(alarm) for alarm in done.raised],
        "standing": done.standing,
        "messages": done.messages,
        "escalated": done.escalated,
        "delivered": vars(done.delivered),
    }

    def words() -> None:
        for alarm in done.raised:
            say(f"{alarm.severity}: {alarm.sentence}")
        say(f"{len(done.raised)} new, {sum(done.standing.values())} open, {done.escalated} handed on.")
        _say_delivered(done.delivered)

    emit(found, as_json=json_, words=words)
    if sum(done.standing.values()):
        raise typer.Exit(FINDINGS)


def _say_delivered(delivered: Delivered) -> None:
    say(f"{delivered.sent} messages sent, {delivered.kept} kept for later, {delivered.given_up} given up.")
    for sentence in delivered.why:
        say(f"  {sentence}")


@plainly
def send(json_: Json = False) -> None:
    """Send what is kept and due. Exit 1 if something was not taken."""
    from tms_pipeline.alarms.delivery import deliver
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        done = deliver(workplace)
    emit(vars(done), as_json=json_, words=lambda: _say_delivered(done))
    if done.why:
        raise typer.Exit(FINDINGS)


@plainly
def ack(
    numbers: Annotated[list[int], typer.Argument(help="Numbers of alarms, as the list and the mails show them.")],
    reason: Annotated[str, typer.Option("--reason", help="What is done about it; it is kept in the audit log.")],
) -> None:
    """Say that you take care of alarms: they are not handed on to the next address."""
    from tms_pipeline.alarms.standing import acknowledge
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        count = acknowledge(workplace, numbers, reason=reason, actor=workplace.actor())
    say(f"{count} acknowledged.")


@plainly
def messages(
    last: Annotated[int, typer.Option(help="So many of the last messages.")] = 20, json_: Json = False
) -> None:
    """Show the last messages: sent, kept for later, or given up, and why."""
    from tms_pipeline.alarms.standing import messages as last_of
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        found = last_of(workplace, last=last)

    def words() -> None:
        for item in reversed(found):
            say(f"{item['message_id']:>5}  {item['channel']} to {item['address']}: {item['subject']} ({_state(item)})")
        if not found:
            say("No message was made yet.")

    emit(found, as_json=json_, words=words)


def _state(item: dict[str, Any]) -> str:
    if item["sent_at"]:
        return f"sent {item['sent_at']:%Y-%m-%d %H:%M}"
    if item["given_up_at"]:
        return f"given up: {item['why_not']}"
    return f"leaves {item['next_at']:%Y-%m-%d %H:%M}" + (f": {item['why_not']}" if item["why_not"] else "")


@plainly
def test(role: Annotated[str, typer.Argument(help="ops, compliance or on-call.")]) -> None:
    """Send a test message to every address of a role. Exit 1 if one was not taken."""
    from tms_pipeline.alarms.standing import send_test
    from tms_pipeline.workplace import open_workplace

    if role not in ("ops", "compliance", "on-call"):
        raise ValueError("A role is ops, compliance or on-call.")
    with open_workplace() as workplace:
        done = send_test(workplace, role)  # type: ignore[arg-type]
    _say_delivered(done)
    if done.why:
        raise typer.Exit(FINDINGS)


@plainly
def digest(
    send_: Annotated[bool, typer.Option("--send", help="Send it to the addresses of ops, once a day.")] = False,
    json_: Json = False,
) -> None:
    """Show the morning's digest: three numbers and one link."""
    from tms_pipeline.alarms.standing import digest as of_today
    from tms_pipeline.alarms.standing import send_digest
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        content = of_today(workplace)
        done = send_digest(workplace) if send_ else None
    emit(content["payload"], as_json=json_, words=lambda: say(content["text"].rstrip()))
    if done is not None and not json_:
        _say_delivered(done)
    if done is not None and done.why:
        raise typer.Exit(FINDINGS)
