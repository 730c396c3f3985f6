"""Thousands of random companies through transform, each against an oracle of its own and the invariants. A difference
is told with the seed that draws the company and the smallest part of it that still differs."""
import collections
import json
import multiprocessing
import os
import unittest

import tally
from batch import draw, records, transform_once
from judge import differences, shrunk

COMPANIES = 260
BATCHES = 200 if tally.FULL else 8
HOLDS = {"member_not_in_payroll", "nir_mismatch", "nir_duplicate", "contract_unknown", "duplicate_line",
         "portability_billed", "billed_before_entry", "billed_after_exit", "exempt_but_billed", "base_missing",
         "split_rule_missing"}


def judged(seed):
    """A batch: the first company that differs, in words, and which ways rows came out."""
    run, companies = draw(seed, COMPANIES)
    output, seen = transform_once(run, companies), collections.Counter()
    for company, entities in companies:
        out = output[company["company_id"]]
        if found := differences(run, company, entities, out):
            return told(seed, run, company, entities, found), seen
        for x in records(out, "contributions"):
            seen.update((x["kind"], x["status"], x["hold_code"], x["component"], x["member_type"], x["product"]))
        seen.update(x["matched_by"] for x in records(out, "members"))
    return None, seen


def told(seed, run, company, entities, found):
    part = shrunk(run, company, entities)
    output = transform_once(run, [(company, part)])[company["company_id"]]
    lines = [f"seed {seed}, company {company['company_id']}, {run}", *found[:8], "", "the smallest part that differs:",
             *(f"{entity}: {json.dumps(x)}" for entity in part for x in part[entity]), "",
             *differences(run, company, part, output)]
    return "\n".join(lines)


class Companies(unittest.TestCase):
    def test_every_company_comes_out_as_reckoned(self):
        seeds = [f"{tally.SEED}:{number}" for number in range(BATCHES)]
        seen = collections.Counter()
        with multiprocessing.Pool(os.cpu_count()) as pool:
            for fault, ways in pool.imap_unordered(judged, seeds):
                if fault:
                    self.fail(fault)
                seen += ways
        tally.count("random companies", COMPANIES * BATCHES)
        rare = HOLDS | {"regular", "regularisation", "reversal", "ready", "held", "fixed", "pmss", "gross", "t1", "t2",
                        "tb", "employee", "partner", "child", "family", "option", "health", "provident", "nir", "ntt",
                        "link", "none"}
        self.assertEqual([x for x in sorted(rare) if seen[x] < 5], [], "the generator no longer makes these")


if __name__ == "__main__":
    unittest.main()
