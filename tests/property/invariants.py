"""What holds for every company whatever the rules say of it (tests look at these apart from the oracle)."""
import collections

from batch import records


def broken(run, company, entities, output):
    """Which invariants the output of one company breaks, in words."""
    rows = records(output, "contributions")
    return [*of_rows(run, rows), *of_invoices(entities, rows, records(output, "invoice_controls")),
            *of_people(entities, rows, records(output, "members")),
            *of_held(run, entities, rows, records(output, "discrepancies")), *of_records(entities, output)]


def of_rows(run, rows):
    keys = collections.Counter((x["line_id"], x["employment_id"], x["cover_from"], x["status"]) for x in rows)
    for x in rows:
        name = (x["line_id"], x["employment_id"], x["cover_from"])
        if x["employer_cents"] + x["employee_cents"] != x["amount_cents"]:
            yield f"{name}: shares do not make the amount"
        if x["cover_from"][:7] != x["cover_to"][:7] or x["cover_from"] > x["cover_to"]:
            yield f"{name}: not inside one month"
        if (x["status"] == "held") != (x["hold_code"] is not None):
            yield f"{name}: held without a code, or a code without being held"
        if x["payroll_month"] != run.period:
            yield f"{name}: another payroll month"
        if x["status"] == "held" and x["kind"] == "reversal":
            yield f"{name}: a reversal that is held"
        if x["amount_cents"] == x["employer_cents"] == 0:
            yield f"{name}: a row of nothing"
    yield from (f"{key}: {count} rows" for key, count in keys.items() if count > 1)


def of_invoices(entities, rows, controls):
    """Allocated, posted and held make the lines; the lines and a difference that is told make the total."""
    sums = collections.defaultdict(collections.Counter)
    for x in rows:
        sums[x["invoice_id"]][x["status"]] += x["amount_cents"]
    invoices = {x["invoice_id"]: x for x in entities.get("invoices", [])}
    lines = collections.Counter()
    for x in entities.get("invoice_lines", []):
        if x["cover_from"] <= x["cover_to"] < "2050" and x["cover_to"] > "2021":
            lines[x["invoice_id"]] += x["amount_cents"]
    for x in controls:
        name, found = x["invoice_id"], sums.pop(x["invoice_id"], collections.Counter())
        cancelled = invoices[name]["status"] == "cancelled"
        if x["lines_cents"] != (0 if cancelled else lines[name]):
            yield f"{name}: lines are {lines[name]}, the control says {x['lines_cents']}"
        if (found["ready"], found["held"]) != (x["allocated_cents"], x["held_cents"]):
            yield f"{name}: rows are {dict(found)}, the control says {x}"
        if x["allocated_cents"] + x["posted_cents"] + x["held_cents"] != x["lines_cents"]:
            yield f"{name}: allocated, posted and held do not make the lines"
        if x["lines_cents"] + x["difference_cents"] != x["total_cents"]:
            yield f"{name}: lines and difference do not make the total"
    yield from (f"{name}: rows without a control" for name in sums)


def of_people(entities, rows, members):
    """Nobody pays who is not matched, who is in portability, or for whom somebody else was insured."""
    employee_of = {x["member_id"]: x["employee_id"] for x in members}
    job_of = {x["employment_id"]: x["employee_id"] for x in entities.get("employments", [])}
    affiliations = collections.defaultdict(list)
    for x in entities.get("affiliations", []):
        affiliations[x["member_id"], x["contract_id"]].append(x)
    fees = {x["line_id"] for x in entities.get("invoice_lines", []) if x["kind"] == "fee"}
    for x in rows:
        if x["status"] == "held" or x["kind"] == "reversal" or x["line_id"] in fees:
            continue
        name = (x["line_id"], x["employment_id"], x["cover_from"])
        if x["employment_id"] is None or (x["member_id"] and employee_of[x["member_id"]] != job_of[x["employment_id"]]):
            yield f"{name}: on the payslip of nobody, or of somebody else than the member"
        standing = {a["status"] for a in affiliations[x["member_id"], x["contract_id"]]
                    if a["starts_on"] <= x["cover_to"] and (a.get("ends_on") or "9999") >= x["cover_from"]}
        if standing == {"portability"}:
            yield f"{name}: billed in portability and not held"


def of_held(run, entities, rows, discrepancies):
    """Every held cent is told, under the code that holds it. A closed month has no rows any more, and goes on
    telling."""
    if run.period in {x["payroll_month"] for x in entities.get("closed_periods", [])}:
        return
    held, told = collections.Counter(), collections.Counter()
    for x in rows:
        if x["status"] == "held":
            held[x["hold_code"]] += x["amount_cents"]
    for x in discrepancies:
        told[x["code"]] += x["held_cents"]
    yield from (f"{code}: {held[code]} cents are held, {told[code]} told"
                for code in held | told if held[code] != told[code])


def of_records(entities, output):
    """Every line that came in is in a control or rejected; the others pass unchanged."""
    rejected = [x for x in records(output, "rejects") if x["entity"] == "invoice_lines"]
    known = {x["invoice_id"] for x in entities.get("invoices", [])}
    lines = entities.get("invoice_lines", [])
    usable = [x for x in lines if x["invoice_id"] in known and x["cover_from"] <= x["cover_to"] < "2050"]
    if len(rejected) + len(usable) != len(lines):
        yield f"{len(lines)} lines, {len(usable)} of them usable, {len(rejected)} rejected"
    for entity in ("contracts", "invoices", "employees", "employments"):
        if len(output.get(entity, [])) != len(entities.get(entity, [])):
            yield f"{entity}: not all of them passed on"
