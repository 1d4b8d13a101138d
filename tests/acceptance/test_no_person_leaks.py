"""After a demo with faults that echo people and with a crash: no person stands anywhere in clear."""

from __future__ import annotations

import at_ssg
from demo_runs import DemoRun
from running import as_json, short_folder, tms

from tms_pipeline.leaks.people import of_term
from tms_pipeline.leaks.scan import Search


def test_promise_11_no_person_of_the_term_stands_anywhere_in_clear(faulty: DemoRun) -> None:
    """The product's own scan, which ``tests/leaks`` shows to find what is planted, in every place it knows."""
    with short_folder() as folder:
        done = tms(
            faulty.home, "leak-scan", "--seeded", "--json", TMPDIR=str(folder), TMS_TODAY=faulty.term.today.isoformat()
        )
    found = as_json(done)
    assert (done.returncode, found["leaks"], found["not_read"]) == (0, [], [])
    assert {"tms", "dagster"} <= set(found["databases"])
    assert found["values"] > 2000 and found["tables"] > 60 and found["files"] > 100, "it seems not to have searched"


def test_what_the_demo_said_names_nobody(faulty: DemoRun) -> None:
    search = Search(of_term(faulty.term.today))
    for number, text in enumerate(faulty.output):
        search.look(f"output {number}", text.encode())
    assert search.finish().leaks == []
    assert search.result.megabytes > 0.001


def test_what_the_faults_left_is_right_but_for_the_one_refusal(faulty: DemoRun) -> None:
    found = at_ssg.differences(at_ssg.wanted(faulty.term), at_ssg.held(faulty.term, faulty.state))
    assert found.keys() == {"assessment"}
    assert len(found["assessment"]["missing"]) == 1 and found["assessment"]["too much"] == []
    assert faulty.summary_after_second["dead_letters"] == 1
