"""What each night must come to, reckoned anew from what the sources hold, in integers and fractions. A payroll month of
a company is {(line, employment, first day of cover, status): Row}."""
import collections
from fractions import Fraction

from world import round_half_up

Row = collections.namedtuple("Row", "amount employer base kind hold")
Worth = collections.namedtuple("Worth", "line employment cover_from cover_month amount employer base hold")
LOOKBACK = 2


def months_back(month, n):
    year, number = map(int, month.split("-"))
    number += 12 * year - 1 - n
    return f"{number // 12}-{number % 12 + 1:02d}"


def nir13(nir):
    return "".join(nir.split()).upper()[:13] if nir else None


def overlap(starts_on, ends_on, first, last):
    return starts_on <= last and (ends_on is None or ends_on >= first)


class Side:
    """One company of the feed, as it stands tonight, and what closed months gave for each line."""

    def __init__(self, source):
        self.source, self.closed, self.posted, self.frozen = source, set(), {}, {}

    # ---- who is who ----

    def employees(self):
        return self.source.site.data["collaborators"]

    def employee_of(self, member_id):
        """By a number that one person alone has on either side, else by the link."""
        numbers = collections.defaultdict(set)
        for affiliation in self.source.company.alan["affiliations"]:
            numbers[nir13(affiliation["nir"])].add(affiliation["member_id"])
        number = next(number for number, members in numbers.items() if member_id in members)
        found = [x["id"] for x in self.employees() if number and nir13(x["socialSecurityNumber"]) == number]
        if len(found) == 1 and len(numbers[number]) == 1:
            return found[0]
        return self.source.links.get(member_id)

    def employments(self, employee_id=None):
        return sorted((x for x in self.source.site.data["contracts"] if employee_id in (None, x["collaboratorId"])),
                      key=lambda x: (x["startDate"], x["contractId"]))

    def employment_on(self, employee_id, contract, first, last):
        """The employment that carries these days, and what keeps it from doing so."""
        month, every = first[:7], self.employments(employee_id)
        of_month = [x for x in every if overlap(x["startDate"], x["endDate"], f"{month}-01", f"{month}-31")]
        if not of_month:
            before = [x for x in every if x["endDate"] and x["endDate"] < first]
            return (before[-1]["contractId"], "billed_after_exit") if before else \
                (every[0]["contractId"], "billed_before_entry")
        employment = of_month[0]
        if contract["proration"] != "none":
            if first < every[0]["startDate"]:
                return employment["contractId"], "billed_before_entry"
            if all(x["endDate"] and x["endDate"] < last for x in every):
                return employment["contractId"], "billed_after_exit"
        return employment["contractId"], None

    def kept_off(self, line, contract, first, last):
        """Portability and dispenses, as Alan has them."""
        statuses = {x["status"] for x in self.source.company.alan["affiliations"]
                    if x["member_id"] == line["member_id"] and x["contract_id"] == contract["id"]
                    and overlap(x["starts_on"], x["ends_on"], first, last)}
        if "portability" in statuses and not statuses & {"active", "suspended", "pending"}:
            return "portability_billed"
        for x in self.source.company.alan["affiliations"]:
            grounds = x["exemption"] or {}
            if x["member_id"] == line["member_id"] and x["status"] == "exempt" and contract["product"] == "health" \
                    and grounds["valid_from"] <= first and last <= grounds["valid_to"]:
                return "exempt_but_billed"
        return None

    # ---- what a line is worth now ----

    @staticmethod
    def term(contract, line, on):
        term, = (x for x in contract["terms"]
                 if (x["member_type"], x["basis"]) == (line["member_type"], line["basis"])
                 and x["option_code"] in (None, line["option_code"])
                 and x["population_code"] in (None, line["population_code"])
                 and x["valid_from"] <= on and (x["valid_to"] is None or on <= x["valid_to"]))
        return term

    @staticmethod
    def employer_part(amount, base, term):
        share = Fraction(term["employer_share_ppm"], 10**6)
        if term["rate_ppm"] is not None and base is not None:
            premium = Fraction(base * term["rate_ppm"], 10**6)
            parts = round_half_up(premium * share), round_half_up(premium * (1 - share))
            if sum(parts) == amount:
                return parts[0]
        return round_half_up(amount * share)

    def worth(self, line, invoice):
        """The portions of one line; the lines here lie inside one civil month."""
        if invoice["status"] == "cancelled":
            return []
        first, last, amount = line["cover_from"], line["cover_to"], line["amount_cents"]
        contract = next((x for x in self.source.company.alan["contracts"] if x["id"] == line["contract_id"]), None)
        if contract is None:
            return [self.portion(line, None, amount, amount, line["base_cents"], "contract_unknown")]
        term = self.term(contract, line, first)
        if line["member_id"] is None:
            return self.spread(line, term)
        employer = self.employer_part(amount, line["base_cents"], term)
        employee_id = self.employee_of(line["member_id"])
        if employee_id is None:
            return [self.portion(line, None, amount, employer, line["base_cents"], "member_not_in_payroll")]
        employment, outside = self.employment_on(employee_id, contract, first, last)
        kept_off = self.kept_off(line, contract, first, last)
        hold = kept_off if kept_off == "portability_billed" else outside or kept_off
        return [self.portion(line, employment, amount, employer, line["base_cents"], hold)]

    @staticmethod
    def portion(line, employment, amount, employer, base, hold=None):
        return Worth(line["id"], employment, line["cover_from"], line["cover_from"][:7], amount, employer, base, hold)

    def spread(self, line, term):
        """A line for all non-executives, by their pay up to the ceiling: floors, then the largest remainders."""
        month, amount = line["cover_from"][:7], line["amount_cents"]
        bases = {person.employment_id: t1 for person, of, _, t1, _ in self.source.company.bases if of == month}
        who = sorted(x["contractId"] for x in self.employments() if x["statutConventionnelDsn"] != "04"
                     and overlap(x["startDate"], x["endDate"], line["cover_from"], line["cover_to"]))
        if not all(employment in bases for employment in who):
            return [self.portion(line, None, amount, amount, line["base_cents"], "base_missing")]
        total = sum(bases[employment] for employment in who)
        exact = {employment: Fraction(amount * bases[employment], total) for employment in who}
        part = {employment: int(exact[employment]) for employment in who}
        for employment in sorted(who, key=lambda x: (part[x] - exact[x], x))[:amount - sum(part.values())]:
            part[employment] += 1
        return [self.portion(line, employment, part[employment],
                             self.employer_part(part[employment], bases[employment], term), bases[employment])
                for employment in who]

    # ---- a payroll month ----

    def lines_that_count(self, period):
        """Of the month's own invoices and of those of closed months in the window, with their invoices."""
        window = [period] + [month for month in (months_back(period, n + 1) for n in range(LOOKBACK))
                             if month in self.closed]
        invoices = {x["id"]: x for x in self.source.company.alan["invoices"] if x["billing_month"] in window}
        return [(line, invoices[line["invoice_id"]]) for line in self.source.company.alan["invoice_lines"]
                if line["invoice_id"] in invoices and isinstance(line["amount_cents"], int)]

    def month(self, period):
        if period in self.closed:
            return self.frozen[period]
        rows, first = {}, months_back(period, LOOKBACK)
        left = {key: posted for key, posted in self.posted.items()
                if first <= posted["billing_month"] and (posted["amount"], posted["employer"]) != (0, 0)}
        for line, invoice in self.lines_that_count(period):
            for x in self.worth(line, invoice):
                before = None if x.hold else left.pop((x.line, x.employment, x.cover_month), None)
                late = before or invoice["billing_month"] < period or line["kind"] == "adjustment" \
                    or x.cover_month < invoice["billing_month"]
                amount, employer = (x.amount, x.employer) if not before else (
                    x.amount - before["amount"], x.employer - before["employer"])
                base = x.base if x.base is None or not before else x.base - before["base"]
                if (amount, employer) != (0, 0):
                    rows[x.line, x.employment, x.cover_from, "held" if x.hold else "ready"] = Row(
                        amount, employer, base, "regularisation" if late else "regular", x.hold)
        for (line, employment, _), posted in left.items():
            rows[line, employment, posted["cover_from"], "ready"] = Row(
                -posted["amount"], -posted["employer"], posted["base"] and -posted["base"], "reversal", None)
        return rows

    def corrections(self, period):
        """What each employment and cover month gets in this open month for months that are closed."""
        billed = {line["id"]: self.billing_month(line["id"]) for line in self.source.company.alan["invoice_lines"]}
        sums = collections.Counter()
        for (line, employment, cover_from, status), row in self.month(period).items():
            if status == "ready" and billed[line] in self.closed:
                sums[employment, self.contract_of(line), cover_from[:7] + "-01"] += row.amount
        return dict(sums)

    def line(self, line_id):
        return next(x for x in self.source.company.alan["invoice_lines"] if x["id"] == line_id)

    def billing_month(self, line_id):
        invoice_id = self.line(line_id)["invoice_id"]
        return next(x["billing_month"] for x in self.source.company.alan["invoices"] if x["id"] == invoice_id)

    def contract_of(self, line_id):
        return self.line(line_id)["contract_id"]

    def close(self, period):
        self.frozen[period] = self.month(period)
        self.closed.add(period)
        for (line, employment, cover_from, status), row in self.frozen[period].items():
            if status == "ready":
                posted = self.posted.setdefault((line, employment, cover_from[:7]), {
                    "amount": 0, "employer": 0, "base": None, "billing_month": self.billing_month(line),
                    "cover_from": cover_from})
                posted["amount"] += row.amount
                posted["employer"] += row.employer
                if row.base is not None:
                    posted["base"] = (posted["base"] or 0) + row.base
