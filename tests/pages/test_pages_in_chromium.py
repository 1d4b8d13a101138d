"""What reviewers look at, in a real browser: pictures of every page and view, a quiet console, axe-core content."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import Browser
from pages_desk import Desk

#: Every view that the reviewer's documents lead to, below the address of their webserver, and words that it must show.
VIEWS = {
    "lineage": ("/asset-groups", ["1_intake", "2_registers", "3_mirror", "4_submission", "5_reconciliation", "6_compliance",
                                  "7_alarms"]),
    "catalog": ("/assets", ["compliance", "findings", "Is the funding safe?"]),
    "asset": ("/assets/compliance/findings?view=overview", ["Is the funding safe?", "Freshness policy", "compliance"]),
    "findings": ("/assets/compliance/findings?view=events", ["what_to_do_first", "last_days"]),
    "findings-checks": ("/assets/compliance/findings?view=checks", ["no_deadline_missed", "no_deadline_near"]),
    "alarms": ("/assets/alarms/raised?view=events", ["open_alarms", "what_to_do", "at SSG"]),
    "alarms-checks": ("/assets/alarms/raised?view=checks&checkDetail=no_alarm_about_deadlines",
                      ["no_alarm_about_deadlines", "A last day comes near", "every_message_arrived"]),
    "discrepancies": ("/assets/reconciliation/discrepancies?view=events", ["by_class", "trend", "matched"]),
    "upload": ("/assets/landing_rows?view=partitions&partition={upload}", ["{upload}", "accepted", "received", "holds"]),
    "upload-checks": ("/assets/landing_rows?view=checks&checkDetail=trainee_rows", ["trainee_rows", "rows_balance"]),
    "plan": ("/assets/submission/plan?view=events", ["plan_id", "plan_hash", "by_kind"]),
    "submissions": ("/assets/submission/submissions?view=events", ["waits_for_people", "sent"]),
    "reports": ("/assets/compliance/reports?view=events", ["reports.html", "compliance.xlsx"]),
    "runs": ("/runs", ["nightly_sync", "intake"]),
}  # fmt: skip


@pytest.mark.parametrize("name", VIEWS)
def test_a_dagster_view_shows_what_its_reader_looks_for(desk: Desk, browser: Browser, pictures: Path, name: str) -> None:
    path, words = VIEWS[name]
    upload = next(upload for upload in desk.uploads if _kinds(desk, upload) == ["trainee"])
    browser.open(desk.review + path.format(upload=upload), *(word.format(upload=upload) for word in words))
    browser.picture(pictures / f"dagster-{name}.png")
    assert browser.faults() == []
    assert "error" not in browser.driver.title.lower()


def _kinds(desk: Desk, upload: str) -> list[str]:
    found: list[str] = desk.place.db.value("SELECT kinds FROM intake.upload WHERE upload_id = %s", (upload,))
    return found


FORMS = {
    "approve_plan": ["plan_id", "plan_hash", "person"],
    "retry_dead_letters": ["error_code", "person", "reason"],
    "rebuild_report_for_run": ["run_code"],
}


@pytest.mark.parametrize("job", FORMS)
def test_operators_find_a_form_with_what_to_fill_in(desk: Desk, browser: Browser, pictures: Path, job: str) -> None:
    browser.open(f"{desk.operators}/locations/tms_pipeline/jobs/{job}/playground", *FORMS[job], "Launch Run")
    browser.picture(pictures / f"form-{job}.png")
    assert browser.faults() == []


def test_charts_are_shown_and_not_spelt_out(desk: Desk, browser: Browser) -> None:
    browser.open(f"{desk.review}/assets/compliance/findings?view=events", "last_days")
    browser.click("[Show Markdown]")
    browser.wait_for("Copy")
    sizes = browser.driver.execute_script(
        "return [...document.images].filter(i => i.src.startsWith('data:image/png')).map(i => [i.naturalWidth, i.alt])"
    )
    assert sizes and sizes[0][0] > 300 and sizes[0][1].startswith("Records not at SSG, by last day")


def test_reviewers_can_press_nothing(desk: Desk, browser: Browser) -> None:
    browser.open(f"{desk.review}/assets/compliance/findings?view=overview", "Materialize")
    off = browser.driver.execute_script(
        "return [...document.querySelectorAll('button')].filter(b => b.innerText.includes('Materialize')).map(b => b.disabled)"
    )
    assert off and all(off)


def test_every_html_page_has_a_quiet_console_and_nothing_serious_for_axe(
    desk: Desk, browser: Browser, pictures: Path
) -> None:
    names = [path.name for path in desk.pages]
    assert {"reports.html", "digest.html", "alarms.html"} <= set(names) and len(names) >= 7, names
    wrong: dict[str, list[str]] = {}
    for number, url in enumerate([*(path.as_uri() for path in desk.pages), f"{desk.simulator}/"]):
        name = f"page-{names[number].removesuffix('.html')}" if number < len(names) else "page-simulator"
        browser.open(url)
        assert len(browser.text()) > 100, f"{name} is empty"
        browser.picture(pictures / f"{name}.png")
        found = [*browser.faults(), *browser.accessibility()]
        if found:
            wrong[name] = found
    assert wrong == {}


def test_a_page_without_headings_or_contrast_would_be_found(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text("<html><body><img src='x.png'><p style='color:#ccc;background:#fff'>hardly seen</p></body></html>")
    browser.open(page.as_uri(), "hardly seen")
    assert {item.split(" ")[0] for item in browser.accessibility()} >= {"image-alt", "color-contrast", "html-has-lang"}
    assert any("x.png" in line for line in browser.faults())
