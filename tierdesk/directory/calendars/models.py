"""Calendars: when people work, in versions, so that an old ticket keeps the hours that were promised to it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django.db import models

from tierdesk.directory.calendars.hours import Hours


class Calendar(models.Model):
    """A named set of working hours, e.g. `office-de`. What it says lives in its versions."""

    key = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120)

    def __str__(self) -> str:
        return self.name

    def current(self) -> CalendarVersion:
        return self.versions.order_by("-version")[0]


class CalendarVersion(models.Model):
    """One edition of a calendar. `spec` has the shape of `Hours.from_spec`; it is never edited once written."""

    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    effective_from = models.DateField(null=True, blank=True)
    spec = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["calendar", "version"], name="calendar_versions_count")
        ]

    def __str__(self) -> str:
        return f"{self.calendar.key}@{self.version}"

    @property
    def words(self) -> str:
        """What a reader calls it: “Halden, office hours”, version 1."""
        return f"“{self.calendar.name}”, version {self.version}"

    @property
    def hours(self) -> Hours:
        return hours_of(self.pk)


def newest_hours(calendars: Iterable[int | None]) -> dict[int, Hours]:
    """The hours of these calendars by their newest versions, in one statement."""
    wanted = {pk for pk in calendars if pk is not None}
    newest = CalendarVersion.objects.filter(calendar__in=wanted).order_by("calendar_id", "-version")
    found = newest.distinct("calendar_id").values_list("calendar_id", "pk") if wanted else ()
    return {calendar: hours_of(version) for calendar, version in found}


@lru_cache(maxsize=512)
def hours_of(version_id: int) -> Hours:
    """The working hours of a calendar version. Versions never change, so the answer is kept."""
    spec: dict[str, Any] = CalendarVersion.objects.values_list("spec", flat=True).get(pk=version_id)
    return Hours.from_spec(spec)
