"""How backups stand, for health and doctor: how old the last one is, and whether it is still what was written."""

from __future__ import annotations

from datetime import UTC, datetime

from tms_pipeline.backups import notes
from tms_pipeline.health.check import Check, ok, warning
from tms_pipeline.health.site import Site
from tms_pipeline.identity.keyring import KeyringError, rings_of
from tms_pipeline.settings import Settings
from tms_pipeline.store.queries import query

_PAGE = "backup"
_DRILL_DAYS = 40
#: Why calls are stopped while a restore runs: before the database is replaced, and after it, until the files are back.
RESTORING, UNFINISHED = "a backup is being restored", "a backup was restored, but its files are not back yet"
#: While a recovered database is made safe; left on when that fails.
RECOVERING = "a recovered database is being made safe"
#: Whoever sees calls stopped for one of these is not to let them go before the restore is seen to.
OF_RESTORES = (RESTORING, UNFINISHED, RECOVERING)
#: Afterwards, where somebody asked for it.
KEPT_STOPPED = "a restore was to leave calls stopped"


def last_backup(settings: Settings) -> Check:
    """Age of the last backup and of the last drill, from the notes; no place is asked."""
    noted = notes.read(settings.home)
    last = noted.get("backup")
    remedy = "Run 'tms backup', and have a timer run it each night: deploy/systemd or deploy/kubernetes."
    if not last:
        if settings.environment == "local":
            return ok("backup", "none was made yet; a local installation need not have any")
        return warning("backup", "No backup was ever made.", remedy, _PAGE)
    hours = (datetime.now(UTC) - datetime.fromisoformat(last["at"])).total_seconds() / 3600
    facts = {"age_hours": round(hours, 1), "file": last["name"], "mb": round(last["bytes"] / 1e6, 1)}
    if hours > settings.backup_hours:
        return warning("backup", f"The last backup is {hours:,.0f} hours old; {settings.backup_hours:g} are allowed.",
                       remedy, _PAGE, **facts)  # fmt: skip
    if settings.key_source == "files" and _rotated(settings, int(last["data_ring"])):
        return warning("backup", "The ring 'data' was rotated after the last backup, which its key export cannot open.",
                       "Run 'tms backup' now: it brings the newest key export beside the backups.", _PAGE,
                       **facts)  # fmt: skip
    tried = noted.get("drill")
    if tried and not tried["well"]:
        return warning("backup", f"The last drill, of {tried['name']}, did not go well.",
                       "Run 'tms restore-drill' and read what it says.", _PAGE, **facts)  # fmt: skip
    if settings.environment != "local" and (
        not tried or (datetime.now(UTC) - datetime.fromisoformat(tried["at"])).days > _DRILL_DAYS
    ):
        return warning(
            "backup", "No restore was tried for more than a month.", "Run 'tms restore-drill'.", _PAGE, **facts
        )
    return ok("backup", f"{last['name']}, {hours:,.1f} hours old", **facts)


def newest_file(settings: Settings) -> Check:
    """Whether the newest backup is still what was written, byte by byte (its sha256); needs no key."""
    from tms_pipeline.backups.places import Place  # loads fsspec: only the doctor pays for it
    from tms_pipeline.backups.sealed_file import BackupError, facts_of

    name = "backup file"
    remedy = "Keep the file for whoever looks into it, run 'tms backup' for a good one, and see what its disk says."
    try:
        place = Place(settings.backup_place)
        found = place.backups()
        if not found:
            return ok(name, "none lies there")
        newest = found[-1]
        place.check_sum(newest.name)
        with place.open(newest.name) as file:
            facts_of(file, newest.name)
    except BackupError as error:
        return warning(name, str(error), remedy, _PAGE)
    return ok(name, f"{newest.name} is what was written; {len(found)} lie there", backups=len(found))


def last_restore(site: Site) -> Check:
    """Whether a restore or drill was broken off and left calls stopped or a database behind."""
    from tms_pipeline.backups.scratch import leftovers, under_way

    name = "restore"
    with site.connect() as connection:
        if under_way(connection, str(site.url.database)):
            return ok(name, "one runs now")
        left = leftovers(connection, str(site.url.database))
        row = connection.execute("SELECT reason FROM ssg.switch WHERE stopped").fetchone()
        last = connection.execute(query("backups/last_restored")).fetchone()
    reason = str(row[0]) if row else ""
    if reason.startswith(UNFINISHED):
        of = f" of {last[0]}" if last else ""
        return warning(
            name, f"A restore{of} was broken off after the database was replaced: its files are not back, and calls "
            "are still stopped.", "Run the same 'tms restore' again.", _PAGE, databases=left,
        )  # fmt: skip
    if reason == RECOVERING:
        return warning(
            name, "A recovered database is not safe yet: it may believe that less was sent. Calls are stopped.",
            "Run 'tms restore --recovered' again.", _PAGE, databases=left,
        )  # fmt: skip
    if reason == RESTORING:
        return warning(
            name, "A restore was killed before it was done: the database is as it was, and calls are still stopped.",
            "Run 'tms restore' again, or 'tms allow --reason …' to go on without it.", _PAGE, databases=left,
        )  # fmt: skip
    if left:
        return warning(name, f"A restore or drill left a database behind: {', '.join(left)}.",
                       "Run 'tms restore-drill': it drops what is left behind.", _PAGE, databases=left)  # fmt: skip
    return ok(name, "none was broken off")


def _rotated(settings: Settings, version: int) -> bool:
    try:
        return rings_of(settings).data.active > version
    except (KeyringError, OSError):
        return False  # the check 'keys' tells
