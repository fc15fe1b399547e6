"""Why tickets climb, and why hand-overs come back: the coded reasons (tiers.md §2)."""

from __future__ import annotations

from django.db import models


class Reason(models.TextChoices):
    """Why a tier hands a ticket up."""

    BOOK_MISSING = "book_missing", "No book covers this"
    BOOK_INSUFFICIENT = "book_insufficient", "The book was not enough"
    BOOK_FAILED = "book_failed", "The book was followed and did not help"
    SKILL = "skill", "It needs knowledge that this tier does not have"
    ACCESS = "access", "It needs access that this tier does not have"
    PRODUCT_DEFECT = "product_defect", "The product has a defect"
    TIME = "time", "The time for this tier is used up"
    CLIENT_REQUEST = "client_request", "The client asked for it"
    RISK = "risk", "Going on here is too risky"
    OTHER = "other", "Something else"


class ReturnReason(models.TextChoices):
    """Why the receiving tier sends a hand-over back."""

    MISSING_INFO = "missing_info", "Information is missing"
    WRONG_TEAM = "wrong_team", "It belongs to another team"
    SOLVABLE_LOWER = "solvable_lower", "It can be solved where it was"
    DUPLICATE = "duplicate", "It is a duplicate"
    OTHER = "other", "Something else"
