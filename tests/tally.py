"""How much a test tried: seeds and sizes of the randomised groups, and a count that `make torture` adds up.

`make test` runs a sample drawn with a fixed seed; TORTURE=full runs all of it, TORTURE_SEED draws another one."""
import json
import os

FULL = os.environ.get("TORTURE") == "full"
SEED = int(os.environ.get("TORTURE_SEED", "1"))


def count(what, tried, lost=0):
    """Adds to the table at the end of `make torture`: so many were tried, so many lost or changed something."""
    path = os.environ.get("TALLY")
    if path:
        with open(path, "a", encoding="utf-8") as out:
            out.write(json.dumps({"what": what, "tried": tried, "lost": lost}) + "\n")
