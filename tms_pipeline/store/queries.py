"""Named SQL files under ``sql/``: one query a file, placeholders in braces filled by identifiers only."""

from __future__ import annotations

from functools import cache

from psycopg import sql

from tms_pipeline.settings import PROJECT_ROOT

SQL_ROOT = PROJECT_ROOT / "sql"


@cache
def text(name: str) -> str:
    """The text of ``sql/<name>.sql``. Raises FileNotFoundError for an unknown name."""
    return (SQL_ROOT / f"{name}.sql").read_text(encoding="utf-8")


def query(name: str, **parts: sql.Composable | str) -> sql.Composed:
    """The query of that name. A plain string part is quoted as an identifier ("schema.table" as two)."""
    filled = {
        key: part if isinstance(part, sql.Composable) else sql.Identifier(*part.split("."))
        for key, part in parts.items()
    }
    return sql.SQL(text(name)).format(**filled)


def columns(names: list[str] | tuple[str, ...], prefix: str = "") -> sql.Composed:
    """A comma-separated list of column identifiers, each behind the prefix (such as "s.")."""
    lead = sql.SQL(prefix)
    return sql.SQL(", ").join(lead + sql.Identifier(name) for name in names)
