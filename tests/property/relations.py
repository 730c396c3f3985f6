"""Companies changed in a way that says what must become of their rows."""
import collections

from calendars import months_after
from oracle import PMSS

MONEY = {"invoice_lines": ("amount_cents", "base_cents"), "invoices": ("total_cents",),
         "pay_bases": ("gross_cents", "t1_cents", "t2_cents"),
         "posted": ("amount_cents", "employer_cents", "employee_cents", "base_cents")}
PRICES = ("price_cents", "employer_fixed_cents")


def times(record, fields, factor):
    return {**record, **{x: record[x] * factor for x in fields if record.get(x) is not None}}


def scaled(entities, factor):
    """Every amount that comes in, times so much."""
    entities = {**entities, **{entity: [times(x, fields, factor) for x in entities.get(entity, [])]
                               for entity, fields in MONEY.items()}}
    entities["contracts"] = [{**x, "terms": [times(term, PRICES, factor) for term in x["terms"]]}
                             for x in entities["contracts"]]
    return entities


def scaled_run(run, factor):
    ceilings = {**{year: cents / 100 for year, cents in PMSS.items()}, **run.rules["pmss"]}
    return run._replace(rules={**run.rules, "pmss": {year: euros * factor for year, euros in ceilings.items()}})


def reversed_too(entities):
    """Every line once more, taken back; nothing of closed months."""
    back = [{**x, "line_id": "back-" + x["line_id"], "kind": "fee" if x["kind"] == "fee" else "adjustment",
             "amount_cents": -x["amount_cents"], "adjusts_line_id": None} for x in entities.get("invoice_lines", [])]
    return {**entities, "posted": [], "invoice_lines": entities.get("invoice_lines", []) + back}


def posted_after(entities, rows):
    """What closed months hold once the month of these rows is closed, as load adds it up."""
    sums = {}
    for x in entities.get("posted", []) + [x for x in rows if x["status"] == "ready"]:
        key = x["line_id"], x["employment_id"], x["cover_from"][:7]
        row = sums.setdefault(key, {field: x[field] for field in (
            "invoice_id", "line_id", "employment_id", "billing_month", "contract_id", "product", "component",
            "member_type", "option_code", "population_code", "cover_from", "cover_to")} | {"base_cents": None})
        if x["base_cents"] is not None:
            row["base_cents"] = (row["base_cents"] or 0) + x["base_cents"]
        for field in ("amount_cents", "employer_cents", "employee_cents"):
            row[field] = row.get(field, 0) + x[field]
    return [x for x in sums.values() if x["amount_cents"] or x["employer_cents"] or x["employee_cents"]]


def next_run(run):
    """The month after, which reads the same billing months again and its own."""
    period = months_after(run.period, 1)
    return run._replace(period=period, as_of=period + run.as_of[7:], lookback=run.lookback + 1,
                        rules={**run.rules, "lookback_months": run.lookback + 1})


def closed(run, entities, posted):
    return {**entities, "posted": posted,
            "closed_periods": entities.get("closed_periods", []) + [{"payroll_month": run.period}]}


def changed(rng, entities):
    """The feed a month later: amounts put right, lines gone, invoices cancelled, people moved."""
    lines, invoices = [], []
    for x in entities.get("invoices", []):
        invoices.append({**x, "status": "cancelled"} if rng.random() < 0.1 else dict(x))
    by_id = {x["invoice_id"]: x for x in invoices}
    for x in entities.get("invoice_lines", []):
        draw = rng.random()
        if draw < 0.1:
            by_id.get(x["invoice_id"], collections.Counter())["line_count"] -= rng.choice((0, 1))
            continue
        lines.append({**x, "amount_cents": x["amount_cents"] + rng.choice((1, -1, 999))} if draw < 0.3 else x)
    jobs = [{**x, "ends_on": max(x["starts_on"], "2024-06-15")} if rng.random() < 0.2 else x
            for x in entities.get("employments", [])]
    links = [x for x in entities.get("links", []) if rng.random() < 0.5]
    return {**entities, "invoices": invoices, "invoice_lines": lines, "employments": jobs, "links": links}


def shuffled(rng, entities):
    """The same records in another order."""
    return {entity: rng.sample(found, len(found)) for entity, found in entities.items()}
