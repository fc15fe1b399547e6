"""How well outlooks foretell: printed beside two plain baselines."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from tierdesk.learning.prediction import bench as prediction


def bench_prediction(options: argparse.Namespace) -> None:
    """How well it is told who will be late, on a public log, in the order of arrival."""
    print("\nOutlooks (19,934 incidents of a public log, replayed; what is said after four weeks)")
    if options.log is None:
        print("    not measured: give --log FILE (UCI set 498, incident_event_log.csv.gz)")
        return
    said, warned = prediction.replay(prediction.read(options.log))
    for share in prediction.LOOKS:
        looks = [one for one in said if one.share == share]
        print(
            f"    asked at {share:.0%} of the target: {len(looks):,}, late {_mean([x.late for x in looks]):.0%}"
        )
        for name, what in OUTLOOKS.items():
            pairs = [(getattr(one, what), one.late) for one in looks]
            print(
                f"        {name:<44} AUC {prediction.auc(pairs):.3f}   off by {prediction.miscalibration(pairs):.3f}"
                f"   Brier {prediction.brier(pairs):.4f}"
            )
    at_three_quarters = [one.late for one in said if one.share == prediction.LOOKS[-1]]
    print("    told before it was late, each ticket once:")
    print(
        f"        likely late: {warned.rightly / warned.late:.0%} of the late ones, rightly in "
        f"{warned.rightly / warned.called:.0%}, {warned.ahead / warned.rightly:.0%} of the target ahead"
    )
    print(f"        baseline, three quarters used: all, rightly in {_mean(at_three_quarters):.0%}, 25% ahead")


OUTLOOKS = {
    "outlook": "ours",
    "baseline: late so far of the priority": "of_priority",
    "baseline: ... that had used as much": "of_used",
}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
