"""What a company's invoices must come to, reckoned apart from the product: from transform/RULES.md, in integers and
fractions."""
import collections
from fractions import Fraction

from calendars import days_between, days_of, first_day, last_day, months_after, months_between, overlap
from people import People

PMSS = {"2019": 337700, "2020": 342800, "2021": 342800, "2022": 342800, "2023": 366600, "2024": 386400, "2025": 392500,
        "2026": 400500}
MILLION = 10**6
MONTHS_MOST = 36
TRANCHES = {"t1": (0, 1), "t2": (1, 8), "tb": (1, 4)}

# One portion of a line: what it is worth now, and for whom.
Portion = collections.namedtuple("Portion", "employment cover_from cover_to base amount employer hold")


def half_up(x):
    """To a whole cent, half a cent away from zero."""
    sign = -1 if x < 0 else 1
    return sign * int(abs(x) + Fraction(1, 2))


def spread(total, weights):
    """Floors of the exact parts, then a cent each to the largest remainders, ties to the first."""
    sign, whole = (-1 if total < 0 else 1), sum(weights)
    exact = [Fraction(abs(total) * weight, whole) for weight in weights]
    parts = [int(x) for x in exact]
    order = sorted(range(len(exact)), key=lambda i: (parts[i] - exact[i], i))
    for i in order[:abs(total) - sum(parts)]:
        parts[i] += 1
    return [sign * part for part in parts]


def weight_of(first, last, proration):
    """What part of a month's price a part of the month costs."""
    days, month_days = days_between(first, last), days_of(first[:7])
    if proration == "none" or days == month_days:
        return Fraction(1)
    return Fraction(days, month_days) if proration == "calendar_days" else Fraction(min(days, 30), 30)


def shares(amount, base, term):
    """The employer's part of an amount."""
    sign = -1 if amount < 0 else 1
    if term.get("employer_fixed_cents") is not None:
        return sign * min(abs(amount), term["employer_fixed_cents"])
    share = Fraction(term["employer_share_ppm"], MILLION)
    if term.get("rate_ppm") is not None and base is not None:
        premium = base * Fraction(term["rate_ppm"], MILLION)
        parts = half_up(premium * share), half_up(premium * (1 - share))
        if sum(parts) == amount:
            return parts[0]
    return half_up(amount * share)


class Oracle:
    def __init__(self, run, company, records):
        self.run, self.company, self.records = run, company, records
        self.contracts = {x["contract_id"]: x for x in records.get("contracts", [])}
        self.invoices = {x["invoice_id"]: x for x in records.get("invoices", [])}
        self.lines = sorted((x for x in records.get("invoice_lines", []) if self.usable(x)), key=lambda x: x["line_id"])
        self.people = People(records, self.lines)
        self.bases = {(x["employment_id"], x["month"]): x for x in records.get("pay_bases", [])}
        self.closed = {x["payroll_month"] for x in records.get("closed_periods", [])}
        self.own = months_after(run.period, -run.shift)
        self.window = {months_after(self.own, -back) for back in range(run.lookback + 1)
                       if back == 0 or months_after(run.period, -back) in self.closed}
        self.duplicates = self.find_duplicates()

    def usable(self, line):
        """What has no place in any month is rejected: no invoice, cover that ends before it begins or years after."""
        last = last_day(months_after(line["cover_from"][:7], MONTHS_MOST - 1))
        return line["invoice_id"] in self.invoices and line["cover_from"] <= line["cover_to"] <= last

    # ---- terms and bases ----

    @staticmethod
    def term(contract, line, category, on):
        """The one rule that fits best, or None."""
        fitting = [x for x in contract["terms"]
                   if (x["member_type"], x["basis"]) == (line["member_type"], line["basis"])
                   and overlap(x["valid_from"], x.get("valid_to"), on, on)
                   and x.get("option_code") in (None, line.get("option_code"))
                   and x.get("population_code") in (None, line.get("population_code"))
                   and x["category"] in ("all", category)
                   and (x.get("employer_share_ppm"), x.get("employer_fixed_cents")) != (None, None)]
        rank = [(x.get("option_code") is not None, x.get("population_code") is not None, x["category"] != "all")
                for x in fitting]
        best = [x for x, r in zip(fitting, rank) if r == max(rank)]
        return best[0] if len(best) == 1 else None

    def pmss(self, month):
        given = self.run.rules["pmss"].get(month[:4])
        return PMSS[month[:4]] if given is None else round(given * 100)

    def ceiling(self, job, month):
        """The PMSS, in an incomplete month its share by calendar days, not rounded."""
        first, last = max(job["starts_on"], first_day(month)), min(job.get("ends_on") or "9999-12-31", last_day(month))
        days = max(days_between(first, last), 0)
        return Fraction(self.pmss(month) * days, days_of(month))

    def base(self, job, basis, month):
        """What a rate is applied to, exactly, or None."""
        if basis == "pmss":
            return self.ceiling(job, month)
        given = self.bases.get((job["employment_id"], month))
        if given is None:
            return None
        if basis == "gross":
            return Fraction(given["gross_cents"])
        if given.get(basis + "_cents") is not None:
            return Fraction(given[basis + "_cents"])
        return self.tranche(job, basis, month)

    def tranche(self, job, basis, month):
        """From gross pay since January: the year so far, to the cent, less what the months before had."""
        first = max(f"{month[:4]}-01", job["starts_on"][:7])
        year = [m[:7] for m, _ in months_between(first_day(first), last_day(month))]
        if not year or not all((job["employment_id"], m) in self.bases for m in year):
            return None
        lower, upper = TRANCHES[basis]

        def so_far(months):
            pay = sum(self.bases[job["employment_id"], m]["gross_cents"] for m in months)
            ceiling = sum((self.ceiling(job, m) for m in months), Fraction(0))
            return half_up(max(Fraction(0), min(Fraction(pay), upper * ceiling) - lower * ceiling))
        return Fraction(so_far(year) - so_far(year[:-1]))

    # ---- lines ----

    def find_duplicates(self):
        """Lines that charge again what another has charged, and was not taken back."""
        taken_back, seen, found = collections.Counter(), {}, set()
        for line in self.lines:
            if line.get("adjusts_line_id") and self.alive(line):
                taken_back[line["adjusts_line_id"]] += line["amount_cents"]
        for line in sorted(self.lines, key=self.age):
            if line["kind"] != "recurring" or not line.get("member_id") or not self.alive(line) \
                    or taken_back.get(line["line_id"]) == -line["amount_cents"]:
                continue
            if line["member_type"] == "child" and not line.get("beneficiary_id"):
                continue
            key = tuple(line.get(x) for x in ("member_id", "member_type", "beneficiary_id", "contract_id", "basis",
                                              "option_code", "cover_from", "cover_to", "amount_cents"))
            if key in seen:
                found.add(line["line_id"])
            seen.setdefault(key, line)
        return found

    def alive(self, line):
        return self.invoices[line["invoice_id"]]["status"] != "cancelled"

    def age(self, line):
        invoice = self.invoices[line["invoice_id"]]
        return invoice["billing_month"], invoice["issued_on"], invoice["invoice_id"], line["line_id"]

    def portions(self, line):
        """What a line is worth now. A fee is the company's and is not cut by month."""
        if not self.alive(line):
            return []
        contract = self.contracts.get(line["contract_id"])
        slices = months_between(line["cover_from"], line["cover_to"])
        if line["kind"] == "fee":
            return [Portion(None, *slices[0], None, line["amount_cents"], line["amount_cents"], None)]
        weights = [weight_of(*x, contract["proration"] if contract else "none") for x in slices]
        amounts, found = spread(line["amount_cents"], weights), []
        given = [None] * len(slices) if line.get("base_cents") is None else spread(line["base_cents"], weights)
        for (first, last), amount, base in zip(slices, amounts, given):
            found += self.portions_of_month(line, contract, first, last, amount, base)
        return found

    def portions_of_month(self, line, contract, first, last, amount, base):
        if contract is None:
            return [Portion(None, first, last, base, amount, amount, "contract_unknown")]
        if not line.get("member_id"):
            if any(line.get(x) for x in ("nir", "first_name", "last_name", "birth_date")):
                return [Portion(None, first, last, base, amount, amount, "member_not_in_payroll")]
            return self.spread_over_company(line, contract, first, last, amount, base)
        employee_id = self.people.employee_of.get(line["member_id"])
        if employee_id is None:
            return [self.split(line, contract, None, first, last, amount, base, self.people.hold[line["member_id"]])]
        job, outside = self.people.employment_for(employee_id, contract, first, last)
        hold = self.hold(line, contract, job, outside, first, last)
        return [self.split(line, contract, job, first, last, amount, base, hold)]

    def hold(self, line, contract, job, outside, first, last):
        """What keeps the line of a matched member from a payslip, the first of its reasons."""
        if job is None:
            return outside
        if line["line_id"] in self.duplicates:
            return "duplicate_line"
        if self.people.standing(line["member_id"], contract["contract_id"], first, last) == "portability":
            return "portability_billed"
        if outside:
            return outside
        if contract["product"] == "health" and self.people.exempt(job, first, last):
            return "exempt_but_billed"
        return None

    def split(self, line, contract, job, first, last, amount, base, hold=None):
        """A held amount is split as well where a term says how, else all of it stands with the employer."""
        category = line.get("category")
        if category in (None, "all") and job:
            category = job.get("category")
        if base is None and line["basis"] != "fixed" and job:
            base = self.base(job, line["basis"], first[:7])
        term = self.term(contract, line, category, first)
        if not hold and line["basis"] != "fixed" and base is None:
            hold = "base_missing"
        if not hold and term is None:
            hold = "split_rule_missing"
        return Portion(job and job["employment_id"], first, last, None if base is None else half_up(base), amount,
                       shares(amount, base, term) if term else amount, hold)

    def spread_over_company(self, line, contract, first, last, amount, given):
        """Over the employments of its category, by their base or in equal parts."""
        jobs = [x for x in sorted(self.people.job.values(), key=lambda x: x["employment_id"])
                if overlap(x["starts_on"], x.get("ends_on"), first, last)
                and line.get("category") in (None, "all", x.get("category"))
                and not (contract["product"] == "health" and self.people.exempt(x, first, last))]
        bases = [None if line["basis"] == "fixed" else self.base(x, line["basis"], first[:7]) for x in jobs]
        weights = [1] * len(jobs) if line["basis"] == "fixed" else bases
        if None in weights or not weights or min(weights) < 0 or not sum(weights):
            return [Portion(None, first, last, given, amount, amount, "base_missing")]
        return [self.split(line, contract, job, first, last, part, base)
                for job, base, part in zip(jobs, bases, spread(amount, weights))]

    # ---- a payroll month ----

    def month(self):
        """Contributions and invoice controls of the payroll month; self.told is the money of its discrepancies."""
        self.told = collections.Counter()
        left = {(x["line_id"], x["employment_id"], x["cover_from"][:7]): x for x in self.records.get("posted", [])}
        self.rows, sums = [], {}
        for invoice in self.invoices.values():
            if invoice["billing_month"] in self.window:
                sums[invoice["invoice_id"]] = collections.Counter()
        for line in self.lines:
            if line["invoice_id"] in sums:
                self.post(line, left, sums[line["invoice_id"]])
        for posted in left.values():
            self.take_back(posted, sums)
        if self.run.period in self.closed:
            return [], []
        return self.rows, [self.control(invoice_id, count) for invoice_id, count in sums.items()]

    def post(self, line, left, sums):
        sums["line_count"] += 1
        if self.alive(line):
            sums["lines_cents"] += line["amount_cents"]
        for x in self.portions(line):
            if (x.amount, x.employer) == (0, 0) and x.base is not None:
                x = x._replace(base=0)
            if x.hold:
                sums["held_cents"] += x.amount
                self.told[self.about(line, x)] += x.amount
                self.row(line, x, x.amount, x.employer, False)
                continue
            before = left.pop((line["line_id"], x.employment, x.cover_from[:7]), None) or collections.Counter()
            sums["posted_cents"] += before["amount_cents"]
            amount, employer = x.amount - before["amount_cents"], x.employer - before["employer_cents"]
            sums["allocated_cents"] += amount
            if x.base is not None:
                x = x._replace(base=x.base - (before["base_cents"] or 0))
            self.row(line, x, amount, employer, bool(before))

    def about(self, line, x):
        """Which discrepancy tells a held portion: its code and, but for those of identity, what it is about."""
        if x.hold in ("member_not_in_payroll", "nir_mismatch", "nir_duplicate"):
            return x.hold, None, None, None
        whole = x.hold in ("contract_unknown", "split_rule_missing") or not line.get("member_id")
        return x.hold, None if whole else x.employment, line["contract_id"], x.cover_from[:7]

    def row(self, line, x, amount, employer, posted):
        invoice = self.invoices[line["invoice_id"]]
        late = posted or invoice["billing_month"] < self.own or line["kind"] == "adjustment" \
            or x.cover_from[:7] < invoice["billing_month"]
        if (amount, employer) != (0, 0):
            self.emit(line, invoice["billing_month"], line["basis"], x.employment, x.cover_from, x.cover_to,
                      "regularisation" if late else "regular", x.base, amount, employer, x.hold)

    def emit(self, line, billing, component, employment, first, last, kind, base, amount, employer, hold):
        contract = self.contracts.get(line["contract_id"], {})
        self.rows.append({
            "payroll_month": self.run.period, "invoice_id": line["invoice_id"], "line_id": line["line_id"],
            "employment_id": employment, "member_id": line.get("member_id"), "contract_id": line["contract_id"],
            "billing_month": billing, "product": contract.get("product"), "component": component,
            "member_type": line["member_type"], "option_code": line.get("option_code"),
            "population_code": line.get("population_code"), "cover_from": first, "cover_to": last, "kind": kind,
            "base_cents": base, "amount_cents": amount, "employer_cents": employer, "employee_cents": amount - employer,
            "status": "held" if hold else "ready", "hold_code": hold})

    def take_back(self, posted, sums):
        """What closed months gave and nothing stands against any more; not on the word of an incomplete invoice."""
        invoice = self.invoices.get(posted["invoice_id"])
        if invoice is None or invoice["invoice_id"] not in sums:
            return
        sums = sums[invoice["invoice_id"]]
        there = any(x["line_id"] == posted["line_id"] for x in self.lines)
        if not there and not self.complete(invoice):
            return
        sums["posted_cents"] += posted["amount_cents"]
        sums["allocated_cents"] -= posted["amount_cents"]
        self.emit(posted, posted["billing_month"], posted["component"], posted["employment_id"], posted["cover_from"],
                  posted["cover_to"], "reversal", None if posted["base_cents"] is None else -posted["base_cents"],
                  -posted["amount_cents"], -posted["employer_cents"], None)

    def complete(self, invoice):
        """A cancelled invoice is worth nothing, however many of its lines are still delivered."""
        lines = sum(x["invoice_id"] == invoice["invoice_id"] for x in self.lines)
        return invoice["status"] == "cancelled" or lines >= invoice["line_count"]

    def control(self, invoice_id, sums):
        invoice = self.invoices[invoice_id]
        total = 0 if invoice["status"] == "cancelled" else invoice["total_cents"]
        return {"payroll_month": self.run.period, "invoice_id": invoice_id, "billing_month": invoice["billing_month"],
                "line_count": sums["line_count"], "total_cents": total,
                **{x: sums[x] for x in ("lines_cents", "allocated_cents", "posted_cents", "held_cents")},
                "difference_cents": total - sums["lines_cents"]}
