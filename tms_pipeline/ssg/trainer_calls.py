"""Trainers in the provider's profile at SSG (ssg-api 4.8)."""

from collections.abc import Iterator

from tms_pipeline.ssg.course_run_calls import check_page, check_text
from tms_pipeline.ssg.envelope import Answer
from tms_pipeline.ssg.errors import SsgError
from tms_pipeline.ssg.paging import every
from tms_pipeline.ssg.party import Page
from tms_pipeline.ssg.replies import Group, listed, rows
from tms_pipeline.ssg.trainer import TrainerBody, TrainerView

PAGE_SIZE = 20  # what clients use; the maximum is not documented (ssg-api 10), so up to 100 passes
MAX_PAGE = 100


class Trainers(Group):
    """`client.trainers`. All raise SsgError; what a request breaks raises ShapeError."""

    def list(
        self,
        *,
        page: int = 0,
        page_size: int = PAGE_SIZE,
        keyword: str | None = None,
        correlation_id: str | None = None,
    ) -> Page[TrainerView]:
        """One page of the provider's trainers. None is an empty page."""
        check_page(page, page_size, MAX_PAGE, "trainers.list")

        def read(answer: Answer) -> Page[TrainerView]:
            return rows(answer, TrainerView, listed(answer.member("trainers")), page, page_size)

        try:
            return self._transport.call(
                "trainers.list",
                read,
                query={"page": page, "pageSize": page_size, "keyword": keyword},
                correlation_id=correlation_id,
            )
        except SsgError as error:
            if error.code != "SSG-NOT-FOUND":
                raise
        return Page((), 0, page, page_size)

    def iter(self, *, page_size: int = PAGE_SIZE, keyword: str | None = None) -> Iterator[TrainerView]:
        """Every trainer; raises rather than giving a part of the list."""
        return every(
            lambda page: self.list(page=page, page_size=page_size, keyword=keyword),
            lambda trainer: trainer.id or trainer,
            "trainers.list",
        )

    def add(self, body: TrainerBody, *, correlation_id: str | None = None) -> str | None:
        """Add a trainer; the id if SSG answers one (the reply is not documented)."""
        return self._transport.call(
            "trainers.add", _trainer_id, body={"trainer": body.to_wire()}, correlation_id=correlation_id
        )

    def update(self, trainer_id: str, body: TrainerBody, *, correlation_id: str | None = None) -> None:
        """Change a trainer of the profile."""
        self._change("trainers.update", "update", trainer_id, body, correlation_id)

    def delete(self, trainer_id: str, body: TrainerBody, *, correlation_id: str | None = None) -> None:
        """Take a trainer out of the profile. SSG wants the same members as an update (ssg-api 4.8)."""
        self._change("trainers.delete", "delete", trainer_id, body, correlation_id)

    def _change(
        self, endpoint: str, action: str, trainer_id: str, body: TrainerBody, correlation_id: str | None
    ) -> None:
        check_text(trainer_id, "trainerId", 50, endpoint)
        self._transport.call(
            endpoint,
            lambda answer: None,
            record_id=trainer_id,
            body={"trainer": {"action": action, **body.to_wire()}},
            correlation_id=correlation_id,
        )


def _trainer_id(answer: Answer) -> str | None:
    found = answer.member("trainer", "id") or answer.member("id")
    return found if isinstance(found, str) else None
