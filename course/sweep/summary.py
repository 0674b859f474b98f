"""What a sweep found: its settings in their order, chosen by the held-out digits."""

import numpy as np


def ranking(sweep):
    """The settings of a sweep, best first, a list of dicts.

    `settings`: a dict of what was varied; `runs` and, of them, `diverged`; `val_accuracy` and
    `test_accuracy`: means over the seeds, and `spread`, the sample standard deviation of the first
    (NaN for one seed). Settings with a run that diverged come last: they cannot be relied on.
    """
    rows = []
    for values, runs in sweep.by_setting().items():
        good = runs.take(runs["outcome"] != "diverged")
        val = good["val_accuracy"]
        rows.append(
            {
                "settings": dict(zip(sweep.varied, values, strict=True)),
                "runs": len(runs),
                "diverged": len(runs) - len(good),
                "val_accuracy": float(val.mean()) if len(good) else float("nan"),
                "spread": float(val.std(ddof=1)) if len(good) > 1 else float("nan"),
                "test_accuracy": float(good["test_accuracy"].mean()) if len(good) else float("nan"),
            }
        )
    return sorted(rows, key=lambda row: (row["diverged"] > 0, -np.nan_to_num(row["val_accuracy"])))


def text(sweep, most=10):
    """The best settings of a sweep as a table, and how many runs diverged."""
    rows = ranking(sweep)
    lines = [f"{sweep}; the best settings by the held-out digits:"]
    for row in rows[:most]:
        what = ", ".join(f"{name} {value}" for name, value in row["settings"].items())
        spread = "" if np.isnan(row["spread"]) else f" ± {row['spread']:.2%}"
        ends = f", {row['diverged']} of {row['runs']} diverged" if row["diverged"] else ""
        lines.append(
            f"  {row['val_accuracy']:.2%}{spread}, test {row['test_accuracy']:.2%}{ends}: "
            f"{what or 'as asked for'}"
        )
    return "\n".join(lines)
