"""How much a test tried: seeds and sizes of the randomised groups, and a count that `make torture` adds up.

`make test` runs a sample drawn with a fixed seed; TORTURE=full runs all of it, TORTURE_SEED draws another one."""
import json
import os
import sys

FULL = os.environ.get("TORTURE") == "full"
SEED = int(os.environ.get("TORTURE_SEED", "1"))


def count(what, tried, lost=0):
    """Adds to the table at the end of `make torture`: so many were tried, so many lost or changed something."""
    path = os.environ.get("TALLY")
    if path:
        with open(path, "a", encoding="utf-8") as out:
            out.write(json.dumps({"what": what, "tried": tried, "lost": lost}) + "\n")


def table(path):
    """Prints what was counted, added up, and returns how many were lost."""
    sums = {}
    with open(path, encoding="utf-8") as counts:
        for one in map(json.loads, counts):
            tried, lost = sums.get(one["what"], (0, 0))
            sums[one["what"]] = (tried + one["tried"], lost + one["lost"])
    width = max(map(len, sums), default=0)
    print(f"{'':{width}}  {'tried':>12}  {'lost':>6}")
    for what, (tried, lost) in sorted(sums.items()):
        print(f"{what:{width}}  {tried:12,}  {lost:6,}")
    print(f"seed {SEED}")
    return sum(lost for _, lost in sums.values())


if __name__ == "__main__":
    sys.exit(table(sys.argv[1]) > 0)
