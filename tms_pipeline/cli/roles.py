"""Verbs of roles: list, grant, revoke, token, database."""

from __future__ import annotations

from typing import Annotated

import typer

from tms_pipeline.cli.output import emit, plainly, say

roles_app = typer.Typer(help="Who may do what: see docs/roles.md.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    roles_app.command("list")(list_)
    roles_app.command("grant")(grant)
    roles_app.command("revoke")(revoke)
    roles_app.command("token")(token)
    roles_app.command("database")(database)
    app.add_typer(roles_app, name="roles")


@plainly
def list_(
    all_: Annotated[bool, typer.Option("--matrix", help="Show what each role may do instead.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """List who has which role; with --matrix, what each role may do."""
    from tms_pipeline.roles.grants import list_grants
    from tms_pipeline.roles.matrix import matrix
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        found = list_grants(workplace)
        me = workplace.person
    if all_:
        table = matrix()
        rows = [{"task": task.name, "what": task.what, **task.cells} for task in table.tasks]

        def cells() -> None:
            say(f"{'':14}" + "".join(f"{role:11}" for role in table.roles))
            for task in table.tasks:
                say(f"{task.name:14}" + "".join(f"{task.cells[role]:11}" for role in table.roles) + task.what)

        emit(rows, as_json=json_, words=cells)
        return

    def words() -> None:
        for item in found:
            runs = f", the runs of {item.trainer_code}" if item.trainer_code else ""
            say(
                f"{item.person}: {item.role}{runs}; proven by {' or '.join(item.ways)}; "
                f"given by {item.granted_by} on {item.granted_at:%Y-%m-%d}"
            )
        if not found:
            say(f"Nobody has a role yet: {me.name}, who can open the key rings, is admin until 'tms roles grant'.")

    emit({"you": vars(me), "grants": [vars(item) for item in found]}, as_json=json_, words=words)


@plainly
def grant(
    person: Annotated[str, typer.Argument(help="The person, as the system, a token or the proxy names them.")],
    role: Annotated[str, typer.Argument(help="admin, 'ops admin', trainer, finance or auditor.")],
    by: Annotated[
        list[str] | None, typer.Option("--by", help="How the name is proven: system, token, proxy. Default: first two.")
    ] = None,
    trainer: Annotated[str | None, typer.Option(help="For a trainer: the Trainer Code whose runs are theirs.")] = None,
) -> None:
    """Give a person a role, in place of the one they have."""
    from tms_pipeline.roles.grants import grant as give
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        name = role.lower().replace("-", " ")
        give(workplace, person, name, ways=tuple(by or ("system", "token")), trainer_code=trainer)
    say(f"{person} is {name} now.")


@plainly
def revoke(person: Annotated[str, typer.Argument(help="The person.")]) -> None:
    """Take a person's role away, and with it every token of theirs."""
    from tms_pipeline.roles.grants import revoke as take
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        take(workplace, person)
    say(f"{person} has no role any more, and no token of theirs counts.")


@plainly
def token(
    person: Annotated[str, typer.Argument(help="Whose token; they need a role already.")],
    days: Annotated[float, typer.Option(help="How long it counts.")] = 7,
) -> None:
    """Print a signed token that says who somebody is, for TMS_TOKEN. Hand it over as you would a password."""
    from tms_pipeline.roles.identify import make_token
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        say(make_token(workplace, person, days=days))


@plainly
def database() -> None:
    """Make Postgres' own roles and row rules again, where the migration's user was not allowed to."""
    from tms_pipeline.roles.database_roles import ROLES, make_again
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        said = make_again(workplace)
    if said:
        raise ValueError(f"{said[0][0].upper()}{said[0][1:]}")
    say(f"Postgres has the roles {', '.join(ROLES)}, their rights and the row rules.")
