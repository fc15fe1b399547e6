"""The kinds of values that requests are made of, and the two shapes of lists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    model_validator,
)

from tierdesk.web.api.errors import Invalid

PAGE = 50
MOST = 200
LONGEST = 100_000
YEARS = range(2000, 2200)


def _storable(text: str) -> str:
    """PostgreSQL keeps no NUL character."""
    if "\0" in text:
        raise ValueError("a NUL character cannot be kept")
    return text


def _address(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError as error:
        raise ValueError("this is not a mail address") from error
    return text.lower()


def _instant(at: datetime) -> datetime:
    """In UTC; years that a database and a calendar both know."""
    if at.year not in YEARS:
        raise ValueError(f"the year must lie between {YEARS[0]} and {YEARS[-1]}")
    return at.astimezone(UTC)


type Word = Annotated[str, StringConstraints(max_length=254), AfterValidator(_storable)]
type Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=300),
    AfterValidator(_storable),
]
type Text = Annotated[str, StringConstraints(max_length=LONGEST), AfterValidator(_storable)]
type Address = Annotated[
    str, StringConstraints(max_length=254), AfterValidator(_storable), AfterValidator(_address)
]
type Instant = Annotated[AwareDatetime, AfterValidator(_instant)]
type Level = Annotated[int, Field(ge=1, le=3)]


class Strict(BaseModel):
    """Something that a program sends. A field that we do not know is refused: a typo must not pass as a default."""

    model_config = ConfigDict(extra="forbid")


class Asked(BaseModel):
    """What stands behind the question mark of an address; there, too, an unknown name is refused.

    Ninja hands over known names only, so the request itself is looked at.
    """

    @model_validator(mode="after")
    def knows_every_name(self, info: ValidationInfo) -> Self:
        asked = info.context["request"].GET if info.context else {}
        for name in asked:
            if name not in type(self).model_fields:
                raise Invalid(name[:50], "there is no such field")
        return self


class Paging(Asked):
    """A list is read page by page: `cursor` is the `next` of the page before."""

    cursor: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    limit: Annotated[int, Field(ge=1, le=MOST)] = PAGE

    def newest_first(self, rows: Any) -> tuple[Sequence[Any], int | None]:
        """A page of a queryset, and the cursor of the next one (None: this was the last)."""
        found = (
            rows.order_by("-id") if self.cursor is None else rows.filter(pk__lt=self.cursor).order_by("-id")
        )
        return self._cut(list(found[: self.limit + 1]))

    def oldest_first(self, rows: Any) -> tuple[Sequence[Any], int | None]:
        """The same in the other direction."""
        return self._cut(list(rows.filter(pk__gt=self.cursor or 0).order_by("id")[: self.limit + 1]))

    def _cut(self, found: list[Any]) -> tuple[Sequence[Any], int | None]:
        page = found[: self.limit]
        return page, page[-1].pk if len(found) > self.limit else None
