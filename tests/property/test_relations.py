"""What must hold between the outputs of related inputs, whatever the rules say of one: another order, other workers,
shards, amounts many times as large, everything taken back, the month after a close."""
import collections
import functools
import random
import unittest

import relations
import tally
from batch import Batch, draw, records, transform_once

COMPANIES = 200
ROUNDS = 25 if tally.FULL else 1
FACTOR = 7


def rows_of(output):
    return records(output, "contributions")


def sums(rows, *key, of=("amount_cents", "employer_cents", "employee_cents")):
    """Amounts added up by some fields; a cover month by its first seven characters."""
    found = collections.defaultdict(lambda: [0] * len(of))
    for x in rows:
        name = tuple(x["cover_from"][:7] if field == "cover_from" else x[field] for field in key)
        found[name] = [a + x[field] for a, field in zip(found[name], of)]
    return {name: tuple(total) for name, total in found.items() if any(total)}


def ready(rows):
    return [x for x in rows if x["status"] == "ready"]


def still_open(run, companies):
    """Those whose payroll month may still change."""
    return [(company, entities) for company, entities in companies
            if {"payroll_month": run.period} not in entities.get("closed_periods", [])]


def each_round(test):
    """Calls a test with batches of companies; a failure names the seed that draws them."""
    @functools.wraps(test)
    def every(self):
        for number in range(ROUNDS):
            seed = f"{tally.SEED}:{test.__name__}:{number}"
            try:
                test(self, random.Random(seed), *draw(seed, COMPANIES))
            except AssertionError as fault:
                fault.add_note(f"seed {seed}")
                raise
            tally.count("relations between random companies", COMPANIES)
    return every


class Relations(unittest.TestCase):
    maxDiff = None

    def same(self, expected, actual, but=("rejects",)):
        """A reject names the line it stood on; the index says where records lie."""
        for company_id, out in expected.items():
            for entity in out.keys() | actual[company_id].keys():
                if entity not in (*but, "companies"):
                    self.assertEqual(out.get(entity), actual[company_id].get(entity), f"{company_id}: {entity}")

    @each_round
    def test_order_of_lines_and_companies(self, rng, run, companies):
        other = [(company, relations.shuffled(rng, entities)) for company, entities in rng.sample(companies, COMPANIES)]
        self.same(transform_once(run, companies), transform_once(run, other))

    @each_round
    def test_workers_parts_and_the_same_run_again(self, rng, run, companies):
        batch = Batch(run, companies, per_part=COMPANIES // 8)
        self.addCleanup(batch.close)
        outputs = []
        for jobs in ("1", "1", "2", "5"):
            batch.transform("--jobs", jobs)
            outputs.append(batch.files())
        self.assertEqual(len([x for x in outputs[0] if x.startswith("contributions-")]), 8)
        for other in outputs[1:]:
            self.assertEqual(outputs[0], other)
        self.same(batch.output(), transform_once(run, companies))

    @each_round
    def test_shards_together_are_the_whole(self, rng, run, companies):
        batch = Batch(run, companies, per_part=COMPANIES // 4)
        self.addCleanup(batch.close)
        whole, union = batch.transform(), collections.defaultdict(dict)
        for shard in range(3):
            batch.transform("--shard", f"{shard}/3")
            for company_id, out in batch.output(f"transform-{shard}-of-3").items():
                self.assertFalse(out and union[company_id], f"{company_id} is in two shards")
                union[company_id].update(out)
        self.same(whole, union, but=())

    @each_round
    def test_amounts_many_times_as_large(self, rng, run, companies):
        """Ready and held, codes and kinds stay. A line's amount is so many times as large in all; a part of it within
        the rounding of either side: a cent each for amounts, a cent and a half for the employer's share on top, and
        what a tranche that is rounded to the cent moves of a line for the whole company, which it weighs."""
        before = transform_once(run, companies)
        larger = [(company, relations.scaled(entities, FACTOR)) for company, entities in companies]
        after = transform_once(relations.scaled_run(run, FACTOR), larger)
        for company_id, out in before.items():
            self.scales(rows_of(out), rows_of(after[company_id]), company_id)
            self.assertEqual(self.totals(out, FACTOR), self.totals(after[company_id], 1), company_id)

    @staticmethod
    def totals(output, factor):
        return [(x["invoice_id"], x["line_count"], *(x[field] * factor for field in (
            "total_cents", "lines_cents", "posted_cents", "difference_cents")))
            for x in records(output, "invoice_controls")]

    def scales(self, before, after, company_id):
        self.assertEqual({name: (x[0] * FACTOR,) for name, x in sums(before, "line_id", of=("amount_cents",)).items()},
                         sums(after, "line_id", of=("amount_cents",)), company_id)
        of = {(x["line_id"], x["employment_id"], x["cover_from"], x["status"]): x for x in after}
        for x in before:
            name = x["line_id"], x["employment_id"], x["cover_from"], x["status"]
            large = of.pop(name, None) or dict.fromkeys(x, 0) | {k: x[k] for k in ("kind", "hold_code")}
            self.assertEqual((x["kind"], x["hold_code"]), (large["kind"], large["hold_code"]), f"{company_id}: {name}")
            moved = self.moved_by_tranches(before, x)
            self.assertLessEqual(abs(large["amount_cents"] - FACTOR * x["amount_cents"]), FACTOR + 1 + moved,
                                 f"{company_id}: {name}")
            self.assertLessEqual(abs(large["employer_cents"] - FACTOR * x["employer_cents"]),
                                 2.5 * (FACTOR + 1) + moved, f"{company_id}: {name}")
        for name, x in of.items():
            self.assertLessEqual(abs(x["amount_cents"]) + abs(x["employer_cents"]), 3.5 * (FACTOR + 1),
                                 f"{company_id}: {name}")

    @staticmethod
    def moved_by_tranches(rows, x):
        """At most a cent for the year so far and one for the year before, of each weight."""
        if x["member_id"] or x["component"] not in ("t1", "t2", "tb"):
            return 0
        parts = [y for y in rows if (y["line_id"], y["cover_from"]) == (x["line_id"], x["cover_from"])]
        amount, base = (abs(sum(y[field] or 0 for y in parts)) for field in ("amount_cents", "base_cents"))
        return 2 * FACTOR * amount * (len(parts) + 1) / max(base, 1)

    @each_round
    def test_everything_taken_back_comes_to_nothing(self, rng, run, companies):
        """A line and its exact reversal are ready or held alike and cancel out in both shares, for each person and
        month."""
        companies = [(company, relations.reversed_too(entities)) for company, entities in still_open(run, companies)]
        output = transform_once(run, companies)
        for company_id, out in output.items():
            rows = rows_of(out)
            twice = {x["line_id"] for x in rows if x["hold_code"] == "duplicate_line"}
            both = [{**x, "line_id": x["line_id"].removeprefix("back-")} for x in rows]
            both = [x for x in both if x["line_id"] not in twice]
            self.assertEqual(sums(both, "line_id", "employment_id", "cover_from", "status", "hold_code"), {},
                             company_id)
            if not twice:
                self.assertEqual([x for x in records(out, "discrepancies") if x["held_cents"]], [], company_id)

    # ---- the month after a close ----

    def close(self, run, companies):
        """Companies whose month is open, their rows, and what closed months hold once it is closed."""
        companies = still_open(run, companies)
        output = transform_once(run, companies)
        for company, entities in companies:
            rows = rows_of(output[company["company_id"]])
            yield company, entities, rows, relations.posted_after(entities, rows)

    @each_round
    def test_an_unchanged_feed_gives_nothing_after_a_close(self, rng, run, companies):
        before = list(self.close(run, companies))
        after = transform_once(relations.next_run(run), [
            (company, relations.closed(run, entities, posted)) for company, entities, _, posted in before])
        for company, _, rows, _ in before:
            out = rows_of(after[company["company_id"]])
            self.assertEqual(ready(out), [], company["company_id"])
            held = "line_id", "employment_id", "cover_from", "hold_code"
            self.assertEqual(sums([x for x in rows if x["status"] == "held"], *held), sums(out, *held),
                             company["company_id"])

    @each_round
    def test_a_changed_feed_gives_exactly_the_difference(self, rng, run, companies):
        """Posted and what the open month adds are what the feed would give if nothing had been posted."""
        key = "line_id", "employment_id", "cover_from"
        before = [(company, relations.changed(rng, entities), posted) for company, entities, _, posted in
                  self.close(run, companies)]
        later = relations.next_run(run)
        fresh = transform_once(later, [(c, relations.closed(run, entities, [])) for c, entities, _ in before])
        after = transform_once(later, [(c, relations.closed(run, entities, posted)) for c, entities, posted in before])
        for company, entities, posted in before:
            company_id = company["company_id"]
            certain = self.known_for_certain(entities)
            given = sums(posted + ready(rows_of(after[company_id])), *key)
            worth = sums(ready(rows_of(fresh[company_id])), *key)
            uncertain = sums([x for x in posted if not certain(x)], *key)
            self.assertEqual(given, {**worth, **uncertain}, company_id)
            self.bases_follow(posted, ready(rows_of(after[company_id])), ready(rows_of(fresh[company_id])), company_id)

    def bases_follow(self, posted, rows, fresh, company_id):
        """Where a month writes anything, all months together have declared the base as it is."""
        def base(rows, name):
            return sum(x["base_cents"] or 0 for x in rows
                       if (x["line_id"], x["employment_id"], x["cover_from"][:7]) == name)
        for x in rows:
            name = x["line_id"], x["employment_id"], x["cover_from"][:7]
            self.assertEqual(base(posted + rows, name), base(fresh, name), f"{company_id}: {name}")

    @staticmethod
    def known_for_certain(entities):
        """Whether the feed says what became of a posted line: it is there, or gone from an invoice that is complete."""
        invoices = {x["invoice_id"]: x for x in entities.get("invoices", [])}
        lines = {x["line_id"]: x for x in entities.get("invoice_lines", [])
                 if x["invoice_id"] in invoices and x["cover_from"] <= x["cover_to"] < "2050"}
        count = collections.Counter(x["invoice_id"] for x in lines.values())

        def certain(posted):
            invoice = invoices.get(posted["invoice_id"])
            return posted["line_id"] in lines or bool(invoice) and (
                invoice["status"] == "cancelled" or count[invoice["invoice_id"]] >= invoice["line_count"])
        return certain


if __name__ == "__main__":
    unittest.main()
