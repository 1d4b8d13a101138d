"""Whole lists or an error: never a part of one in silence."""

import json
import socket
from typing import Any

import pytest

from tms_pipeline.ssg.crypto import BodyCipher
from tms_pipeline.ssg.enrolment import EnrolmentQuery
from tms_pipeline.ssg.errors import SsgError

from .hostile import Received, hostile, reply
from .world import COURSE, KEY, client

CIPHER = BodyCipher(KEY)


def paged(pages: list[Any]) -> Any:
    """Answers the enrolment search with the page that is asked for: (references, total), or an answer."""

    def answer(connection: socket.socket, request: Received) -> None:
        body = json.loads(CIPHER.decrypt(json.loads(request.body)))
        number = body["parameters"]["page"]
        page = pages[min(number, len(pages) - 1)]
        if callable(page):
            page(connection, request)
            return
        references, total = page
        data = [{"enrolment": {"referenceNumber": f"ENR-2610-{n:06d}"}} for n in references]
        text = json.dumps({"status": "200", "data": data, "meta": {"totalRecords": total}, "error": {}})
        reply(CIPHER.encrypt(text))(connection, request)

    return answer


def everything(pages: list[Any]) -> list[str]:
    with hostile(paged(pages)) as server, client(server.url) as ssg:
        found = [row.reference_number for row in ssg.enrolments.iter_search(EnrolmentQuery(page_size=2))]
    assert len(server.received) <= len(pages) + 1
    return found


def test_all_pages() -> None:
    assert len(everything([([1, 2], 5), ([3, 4], 5), ([5], 5)])) == 5
    assert len(everything([([1, 2], 4), ([3, 4], 4)])) == 4
    assert len(everything([([1, 2], 4), ([3, 4], 5), ([5], 5)])) == 5, "one came meanwhile"
    assert everything([([], 0)]) == []
    assert everything([([1], "1")]) == ["ENR-2610-000001"]


@pytest.mark.parametrize(
    "pages",
    [
        [([1, 2], 4), ([2, 3], 4)],
        [([1, 2], 4), ([3], 3)],
        [([1, 2], 4), ([2, 3], 5)],
        [([1, 2], 4), ([], 4)],
        [([1, 2], 3), ([3, 4], 3)],
        [([1, 1], 2)],
        [([1], 0)],
        [([1, 2], 100)],
        [([], 3)],
    ],
    ids=[
        "row moved",
        "total fell",
        "one came in before",
        "empty too early",
        "too many",
        "twice",
        "not zero",
        "endless",
        "empty first",
    ],
)
def test_pages_that_do_not_make_one_list(pages: list[Any]) -> None:
    with pytest.raises(SsgError) as caught:
        everything(pages)
    assert (caught.value.code, caught.value.error_class) == ("SSG-LIST-CHANGED", "retryable")


def test_a_failing_page_fails_the_list() -> None:
    with pytest.raises(SsgError) as caught:
        everything([([1, 2], 4), reply("", "503 x")])
    assert caught.value.error_class == "retryable"


def test_an_empty_search_is_empty_whether_200_or_404_but_not_a_wrong_path() -> None:
    none = {"status": 404, "data": {}, "meta": {}, "error": {"message": "Not Found", "details": []}}
    with hostile(reply(CIPHER.encrypt(json.dumps(none)), "404 x")) as server, client(server.url) as ssg:
        assert ssg.enrolments.search(EnrolmentQuery()).total == 0
        assert list(ssg.enrolments.iter_search(EnrolmentQuery())) == []
    with hostile(reply("<html>404</html>", "404 x")) as server, client(server.url) as ssg:
        for call in (
            lambda: ssg.enrolments.search(EnrolmentQuery()),
            lambda: ssg.course_runs.by_reference(COURSE),
            lambda: ssg.course_runs.sessions(1, COURSE),
            lambda: ssg.attendance.view(1, COURSE),
        ):
            with pytest.raises(SsgError) as caught:
                call()
            assert caught.value.error_class == "configuration"
