"""Queries narrowed to some runs: every table of runs, and each with a name."""

from __future__ import annotations

import re

from tms_pipeline.settled.narrowed import narrow
from tms_pipeline.store.queries import SQL_ROOT


def test_a_query_is_narrowed_wherever_it_names_a_table_of_runs() -> None:
    text = 'SELECT * FROM register.session s JOIN "mirror"."session" m USING (key) JOIN mirror.session_history h ON true'
    found = narrow(text, "ARRAY['A']")
    assert "(SELECT * FROM register.session WHERE run_code = ANY(ARRAY['A']::text[])) s" in found
    assert "(SELECT * FROM mirror.session WHERE run_code = ANY(ARRAY['A']::text[]) OR run_code IS NULL AND" in found
    assert "JOIN mirror.session_history h" in found
    assert narrow("SELECT FROM register.course JOIN mirror.live ON mirror.holds('fee', key)", "'{}'").count("ANY") == 0


def test_every_narrowed_table_of_a_query_has_a_name_which_postgres_15_asks_for() -> None:
    of_tables = re.compile(r"\(SELECT \* FROM (?:register|mirror|outbox)\.\w+ WHERE ")
    nameless: list[str] = []
    looked_at = [*(place for stage in ("diff", "reconcile", "compliance", "settled") for place in (SQL_ROOT / stage).glob("*.sql")),
                 *(SQL_ROOT / "reports" / f"{name}.sql" for name in ("runs", "receipts", "funnel"))]  # fmt: skip
    # These are never asked of a part.
    for place in {place for place in looked_at if place.stem not in ("database", "ours")}:
        lines = (line.partition("-- ")[0] for line in place.read_text(encoding="utf-8").splitlines())
        text = re.sub(r"\{(register|mirror)\}", r"\1.session", "\n".join(lines))
        if text.lstrip().startswith("UPDATE") or place.stem.startswith("theirs"):
            continue
        found = narrow(text, "'x'")
        for start in of_tables.finditer(found):
            depth, end = 0, start.start()
            while not (found[end] == ")" and depth == 1):
                depth += {"(": 1, ")": -1}.get(found[end], 0)
                end += 1
            word = re.match(r"\s*(?:AS )?(\w*)", found[end + 1:])
            if word is None or word[1].upper() in ("", "WHERE", "JOIN", "LEFT", "CROSS", "GROUP", "ORDER", "ON", "UNION"):
                nameless.append(f"{place.parent.name}/{place.name}")
    assert nameless == []
