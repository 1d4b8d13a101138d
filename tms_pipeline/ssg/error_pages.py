"""A page per entry of `errors.toml`: `python -m tms_pipeline.ssg.error_pages --check|--write`."""

import argparse
import sys
from pathlib import Path

from tms_pipeline.ssg.errors import ErrorClass, ErrorEntry, error_table

FOLDER = Path(__file__).parents[2] / "docs" / "errors"

_CLASSES = {
    ErrorClass.RETRYABLE: "retryable: SSG did nothing, the same call is sent again later",
    ErrorClass.PERMANENT: "permanent: SSG will refuse the same call again, a person must change something",
    ErrorClass.UNKNOWN: "unknown: it was sent and may have been done, so SSG is searched first",
    ErrorClass.ALREADY_DONE: "already done: SSG holds what the call wanted",
    ErrorClass.CREDENTIALS: "credentials: certificate, token or subscription; nothing was done",
    ErrorClass.CONFIGURATION: "configuration: one of our settings; nothing was done",
}


def page_name(found: ErrorEntry) -> str:
    """The file name of an entry's page."""
    return f"{found.id.lower()}.md"


def page(found: ErrorEntry) -> str:
    """The page of an entry."""
    conditions = [
        ("HTTP status", ", ".join(found.statuses)),
        ("Kind of answer", ", ".join(found.dialects)),
        ("Code", found.code),
        ("Text contains", f"`{found.pattern}`" if found.pattern else ""),
        (
            "Call",
            "" if found.endpoint == "*" else ", ".join(f"`{glob}`" for glob in found.endpoint.split("|")),
        ),
        ("Only for", "" if found.access == "any" else f"{found.access}s"),
        ("Anything sent", "" if found.sent is None else ("yes" if found.sent else "no")),
    ]
    seen = [f"- {name}: {value}" for name, value in conditions if value]
    counted = (
        ["", "Answers that end here are counted (`SsgClient.unclassified`), so that they can get an entry."]
        if found.unclassified
        else []
    )
    return "\n".join(
        [
            f"# {found.id}: {found.title}",
            "",
            "<!-- generated from tms_pipeline/ssg/errors.toml by error_pages.py; do not edit -->",
            "",
            "## What it means",
            "",
            found.sentence,
            "",
            f"Class: {_CLASSES[found.error_class]}.",
            "",
            "## What the pipeline does by itself",
            "",
            found.pipeline,
            "",
            "## What you do",
            "",
            found.remedy,
            "",
            "## How it is recognised",
            "",
            *(seen or ["- any answer that no other entry recognises"]),
            *counted,
            "",
            f"Source: ssg-api {found.source}.",
            "",
        ]
    )


def differences(folder: Path) -> list[str]:
    """Pages that are missing, stale, or of no entry any more."""
    wanted = {page_name(found): page(found) for found in error_table()}
    problems = []
    for name, text in wanted.items():
        path = folder / name
        if not path.exists():
            problems.append(f"missing: {name}")
        elif path.read_text(encoding="utf-8") != text:
            problems.append(f"stale: {name}")
    problems += [f"no entry: {path.name}" for path in folder.glob("ssg-*.md") if path.name not in wanted]
    return sorted(problems)


def write(folder: Path) -> None:
    """Write every page and take away those of no entry."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {page_name(found): page(found) for found in error_table()}
    for path in folder.glob("ssg-*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Exit 0 when the pages are right, 1 when they are not."""
    parser = argparse.ArgumentParser(prog="python -m tms_pipeline.ssg.error_pages")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--check", action="store_true")
    action.add_argument("--write", action="store_true")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args(arguments)
    if options.write:
        write(options.folder)
    problems = differences(options.folder)
    for problem in problems:
        sys.stdout.write(problem + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
