#!/usr/bin/env python3
"""Measures the three stages against what people would reach for, and prints every figure with its goal. Works in a
folder and a PostgreSQL cluster of its own, and removes both. Environment (defaults in brackets):

    BUILD                  which build is measured [build]
    BENCH_EMPLOYEES        people of the payroll month [50000]
    BENCH_COMPANIES        their companies [a twentieth]
    BENCH_BILLING_MONTHS   months that have been invoiced: 1, or 2 or 3 as lookback_months asks for them again [1]
    BENCH_REPEAT           rounds; every figure is the median of its rounds [3]
    BENCH_FEED_COMPANIES   companies whose pages are fetched, of twenty people each [1000]
    BENCH_GROWTH_FROM, BENCH_GROWTH_TO   employees, doubled from one to the other [10000, 40000]
    BENCH_ONLY             sections to run, of: month peers extract growth memory one [all]

Programs that are compared in a figure run one after the other in each round, so that both meet the same machine."""
import os
import pathlib
import shutil
import sys
import tempfile

import measure
import sections
from figures import Figures
from world import World

SECTIONS = ("month", "peers", "extract", "growth", "memory", "one")


class Sizes:
    def __init__(self, env):
        def number(name, default):
            return int(env.get(f"BENCH_{name}", default))
        self.employees = number("EMPLOYEES", 50000)
        self.companies = number("COMPANIES", max(1, self.employees // 20))
        self.billing_months = number("BILLING_MONTHS", 1)
        self.repeat = number("REPEAT", 3)
        self.feed_companies = number("FEED_COMPANIES", 1000)
        self.growth = number("GROWTH_FROM", 10000), number("GROWTH_TO", 40000)


def main():
    chosen = os.environ.get("BENCH_ONLY", " ".join(SECTIONS)).split()
    unknown = set(chosen) - set(SECTIONS)
    if unknown:
        sys.exit(f"bench: BENCH_ONLY: no such section: {' '.join(unknown)}; there are {' '.join(SECTIONS)}")
    figures = Figures()
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="pipeline-bench-"))
    world = None
    try:
        world = World(scratch, Sizes(os.environ))
        for section in SECTIONS:
            if section in chosen:
                getattr(sections, section)(world, figures)
        print(f"\n{world.description()}\n\n{figures.markdown()}")
        if world.contest_table:
            print(f"\n{world.contest_table}")
    except measure.Failed as failure:
        sys.exit(f"bench: {failure}")
    finally:
        if world:
            world.stop()
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
