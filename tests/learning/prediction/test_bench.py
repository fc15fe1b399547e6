"""The measures by which outlooks are judged, and a small log that is lived through."""

from __future__ import annotations

import csv
import gzip
import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tierdesk.learning.prediction import bench

FIELDS = [
    "number",
    "incident_state",
    "opened_at",
    "sys_updated_at",
    "resolved_at",
    "priority",
    "assignment_group",
    "category",
]


def test_auc_is_the_chance_to_be_in_the_right_order() -> None:
    assert bench.auc([(0.1, False), (0.2, False), (0.8, True), (0.9, True)]) == 1.0
    assert bench.auc([(0.9, False), (0.1, True)]) == 0.0
    assert bench.auc([(0.5, False), (0.5, True)]) == 0.5
    assert bench.auc([(0.1, False), (0.3, True), (0.2, True), (0.25, False)]) == pytest.approx(0.75)


def test_being_off_is_told_by_classes_and_by_squares() -> None:
    said = [(0.25, True), (0.25, False), (0.25, False), (0.25, False), (0.95, True), (0.95, False)]
    assert bench.miscalibration(said) == pytest.approx(0.9 / 6)
    assert bench.brier([(1.0, True), (0.5, False)]) == pytest.approx(0.125)


def test_a_log_is_lived_through_and_slow_groups_are_told_from_quick_ones(tmp_path: Path) -> None:
    log = tmp_path / "log.csv.gz"
    _write(log, many=600)
    cases = bench.read(log)
    assert len(cases) == 600
    said, warned = bench.replay(cases)
    first = [one for one in said if one.share == 0.0]
    ours = bench.auc([(one.ours, one.late) for one in first])
    of_priority = bench.auc([(one.of_priority, one.late) for one in first])
    assert ours > 0.85 > 0.65 > of_priority
    assert warned.rightly / warned.late > 0.9
    assert warned.ahead / warned.rightly > 0.5


def _write(log: Path, *, many: int) -> None:
    """Two groups: one is done within a day, the other takes two weeks; one in ten goes the other way."""
    chance, opened = random.Random(7), datetime(2026, 1, 1, 8, 0)
    with gzip.open(log, "wt", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, FIELDS)
        writer.writeheader()
        for number in range(many):
            opened += timedelta(hours=chance.expovariate(1 / 5))
            slow = chance.random() < 0.4
            takes = timedelta(hours=chance.uniform(240, 400) if slow != (chance.random() < 0.1) else 20)
            of_all = {
                "number": f"INC{number}",
                "opened_at": _told(opened),
                "resolved_at": _told(opened + takes),
                "priority": "3 - Moderate",
                "assignment_group": "Slow" if slow else "Quick",
                "category": "?",
            }
            writer.writerow(of_all | {"incident_state": "Active", "sys_updated_at": _told(opened)})
            writer.writerow(of_all | {"incident_state": "Closed", "sys_updated_at": _told(opened + takes)})


def _told(at: datetime) -> str:
    return f"{at:%d/%m/%Y %H:%M}"
