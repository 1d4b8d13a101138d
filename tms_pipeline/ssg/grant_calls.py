"""Grants at SSG, read only (ssg-api 8.1)."""

from collections.abc import Iterator

from tms_pipeline.ssg.envelope import Answer
from tms_pipeline.ssg.errors import SsgError
from tms_pipeline.ssg.grant import GrantQuery, GrantView
from tms_pipeline.ssg.paging import every
from tms_pipeline.ssg.party import Page
from tms_pipeline.ssg.replies import Group, listed, rows, with_times


class Grants(Group):
    """`client.grants`. All raise SsgError."""

    def search(self, query: GrantQuery, *, correlation_id: str | None = None) -> Page[GrantView]:
        """One page of a search. No grant is an empty page, whether SSG says 200, 400 or 404 (ssg-api 8.1)."""

        def read(answer: Answer) -> Page[GrantView]:
            records = [with_times(item.get("grant", item), item.get("meta")) for item in listed(answer.data)]
            return rows(answer, GrantView, records, query.page, query.page_size)

        try:
            return self._transport.call(
                "grants.search", read, body=query.to_body(self._partner), correlation_id=correlation_id
            )
        except SsgError as error:
            if error.code not in ("SSG-NOT-FOUND", "SSG-NO-GRANTS"):
                raise
        return Page((), 0, query.page, query.page_size)

    def iter_search(self, query: GrantQuery) -> Iterator[GrantView]:
        """Every hit of a search, from its page on; raises rather than giving a part of the list."""
        return every(
            lambda page: self.search(query.model_copy(update={"page": page})),
            lambda row: row.reference_number,
            "grants.search",
            query.page,
        )

    def view(self, reference: str, *, correlation_id: str | None = None) -> GrantView:
        """A grant by its reference. One that is not there raises SSG-NOT-FOUND."""

        def read(answer: Answer) -> GrantView:
            record = answer.member("grant") or answer.data
            return GrantView.model_validate(with_times(record, answer.meta))

        return self._transport.call("grants.view", read, record_id=reference, correlation_id=correlation_id)
