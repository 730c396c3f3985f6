"""Figures, each with its goal, as a table that can be pasted into the README."""
import statistics


def median_ratio(ours, theirs):
    """The median of the ratios of runs that were made one after the other."""
    return statistics.median(a / b for a, b in zip(ours, theirs))


def seconds(value):
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


class Figures:
    def __init__(self):
        self.lines = []

    def add(self, name, measured, goal, met):
        """met: True, False, or None where nothing could be compared."""
        verdict = {True: "met", False: "not met", None: "not run"}[met]
        self.lines.append((name, measured, goal, verdict))
        print(f"  {name}: {measured} (goal: {goal}): {verdict}", flush=True)

    def at_most(self, name, ratio, limit, detail):
        self.add(name, f"{ratio:.2f}× ({detail})", f"at most {limit:g}×", ratio <= limit)

    def at_least(self, name, ratio, limit, detail):
        self.add(name, f"{ratio:.2f}× ({detail})", f"at least {limit:g}×", ratio >= limit)

    def not_run(self, name, why, goal):
        self.add(name, why, goal, None)

    def markdown(self):
        return table(("figure", "measured", "goal", ""), self.lines)


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])
