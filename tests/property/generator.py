"""Random companies: each a company's values and its records by entity, as tests/staging.py writes them. The same seed
gives the same company. Everything that the rules know may occur, the rare things often: small companies, many
faults."""
import collections
import random

from calendars import day_after, days_of, first_day, last_day, months_after

# What a run asks for: rules are those of pipeline.yaml.
Run = collections.namedtuple("Run", "period as_of shift lookback rules")

SHARES = (500000, 500000, 600000, 625000, 700000, 1000000, 0, 333333, 999999, 400000)
FAMILY = ("employee", "partner", "child", "family", "option")
RATED = ("pmss", "gross", "t1", "t2", "tb")
FIRST_NAMES = ("Paul", "Anne", "Éloïse", "Jean-Marc", "Zoé")
LAST_NAMES = ("Martin", "D'Œuvre", "Petit", "Roux")


def run_of(rng):
    """A payroll month and rules to go with it."""
    period = f"{rng.choice((2024, 2025, 2026))}-{rng.choice((1, 2, 2, 3, 4, 7, 12)):02d}"
    shift, lookback = rng.choice((0, 0, 0, 1)), rng.choice((2, 2, 0, 1, 3))
    rules = {"invoice_month_shift": shift, "lookback_months": lookback, "reject_limit": "100%",
             "pmss": {"2027": 4100.5}}
    return Run(period, f"{period}-{rng.choice((5, 15, 27)):02d}T06:00:00Z", shift, lookback, rules)


def nir_key(body):
    return 97 - int(body.replace("2A", "19").replace("2B", "18")) % 97


def siren(rng):
    head = f"{rng.randrange(10**8):08d}"
    double = sum(sum(divmod(2 * int(c), 10)) if i % 2 else int(c) for i, c in enumerate(head))
    return head + str(-double % 10)


class Company:
    """One company, made step by step; every choice is drawn from one random number generator."""

    def __init__(self, company_id, seed, run):
        self.rng, self.run, self.id = random.Random(seed), run, company_id
        self.records = collections.defaultdict(list)
        self.serial = collections.Counter()
        self.own = months_after(run.period, -run.shift)
        self.siren, self.former = siren(self.rng), siren(self.rng)
        self.people, self.not_delivered = [], []
        self.contracts()
        for number in range(self.rng.choice((0, 1, 2, 2, 3, 4, 6))):
            self.person(number)
        self.months()
        self.invoices()
        self.decisions()
        self.posted()

    # ---- drawing ----

    def chance(self, percent):
        return self.rng.random() * 100 < percent

    def pick(self, *choices):
        return self.rng.choice(choices)

    def new_id(self, prefix):
        """An id whose order is not that of its making."""
        self.serial[prefix] += 1
        return f"{prefix}{self.rng.randrange(10, 100)}{self.serial[prefix]:02d}"

    def month(self, first=-3, last=1):
        return months_after(self.own, self.rng.randint(first, last))

    def day(self, month):
        return f"{month}-{self.rng.randint(1, days_of(month)):02d}"

    def cents(self):
        size = self.rng.random()
        if size < 0.1:
            return self.pick(1, 2, 3, 5)
        if size < 0.15:
            return self.rng.randrange(10**9, 10**11)
        return self.rng.randrange(100, 30000)

    def code(self):
        return self.pick(None, None, None, "A", "B")

    # ---- contracts ----

    def contracts(self):
        for product in ["health"] * self.pick(1, 1, 1, 2) + ["provident"] * self.pick(0, 1, 1, 2):
            contract = {"contract_id": self.new_id("C"), "product": product, "reference": self.new_id("REF"),
                        "insurer_code": "AALAN1", "siren": self.pick(self.siren, None, self.former),
                        "valid_from": "2023-01-01", "status": "active",
                        "proration": self.pick("none", "none", "calendar_days", "thirtieths"), "terms": []}
            if self.chance(10):
                contract.update(valid_to=last_day(self.month()), status=self.pick("active", "terminated"))
            if self.chance(10):
                contract["updated_at"] = f"{self.day(self.run.period)}T08:00:00Z"
            for member_type in FAMILY:
                for basis in ("fixed",) if product == "health" and self.chance(85) else self.rng.sample(RATED, 2):
                    if self.chance(92):
                        self.terms(contract["terms"], member_type, basis)
            self.rng.shuffle(contract["terms"])
            self.records["contracts"].append(contract)
            for _ in range(self.pick(0, 1, 1, 1, 2)):
                self.records["payroll_contracts"].append(
                    {"payroll_contract_id": self.new_id("P"), "product": product, "reference": contract["reference"],
                     "option_code": self.code(), "population_code": None, "employment_ids": []})

    def terms(self, terms, member_type, basis):
        """One rule, its variants by option, population and category, its changes over time, and faults."""
        def term(**more):
            payer = {"employer_share_ppm": self.rng.choice(SHARES)} if self.chance(85) else \
                {"employer_fixed_cents": self.rng.choice((0, 1, 2000, 9000))}
            price = {"price_cents": self.cents()} if basis == "fixed" else {"rate_ppm": self.rng.randrange(1, 60000)}
            terms.append({"category": "all", "member_type": member_type, "basis": basis, "valid_from": "2023-01-01",
                          **price, **payer, **more})
        term()
        if self.chance(15):
            term(option_code=self.pick("A", "B"))
        if self.chance(10):
            term(population_code="A", option_code=self.code())
        if self.chance(15):
            term(category=self.pick("executive", "non_executive"))
        if self.chance(10):
            changed = self.month()
            terms[-1]["valid_to"] = last_day(months_after(changed, -1))
            term(valid_from=first_day(changed))
        if self.chance(3):
            terms.append(dict(terms[-1]))
        if self.chance(3):
            terms[-1].update(employer_share_ppm=None, employer_fixed_cents=None)

    def contract(self, product=None):
        return self.rng.choice([x for x in self.records["contracts"] if product in (None, x["product"])] or
                               self.records["contracts"])

    # ---- people ----

    def number(self):
        department = self.pick("75", "13", "2A", "2B", "99", "33")
        body = (f"{self.pick(1, 2)}{self.rng.randrange(100):02d}{self.pick(1, 6, 12, 20, 31, 42, 50, 99):02d}"
                f"{department}{self.rng.randrange(1, 999):03d}{self.rng.randrange(1, 998):03d}")
        return body

    def written(self, body):
        """A number as one side may have it: mostly right, sometimes with a wrong key, never repaired when it is not."""
        right, wrong = nir_key(body), nir_key(body) % 97 + 1
        style = self.rng.random()
        if style < 0.35:
            return body
        if style < 0.65:
            return f"{body}{right:02d}"
        if style < 0.8:
            spaced = f"{body[0]} {body[1:3]}.{body[3:5]}-{body[5:7]}\u00a0{body[7:10]}\u202f{body[10:]} {right:02d}"
            return spaced.lower()
        if style < 0.9:
            return f"{body}{wrong:02d}"
        return self.pick(None, "", "1,85017E+12", body[:12], "O" + body[1:], "7" + body[1:], f"8{body[1:]}",
                         self.number())

    def person(self, number):
        body = self.number()
        if self.people and self.chance(6):
            body = self.people[-1]["body"]
        before = self.people[-1]["ntt"] if self.people and self.chance(40) else None
        ntt = before or (f"{body[0]}{self.siren}{self.pick('AB12', 'x9', '77')}{number}" if self.chance(12) else None)
        names = {"first_name": self.rng.choice(FIRST_NAMES), "last_name": self.rng.choice(LAST_NAMES),
                 "birth_date": f"19{body[1:3]}-{self.rng.randint(1, 12):02d}-11"}
        employee_id = self.new_id("E")
        at_payroll = self.written(body) if not ntt or self.chance(50) else None
        self.records["employees"].append({"employee_id": employee_id, "matricule": f"{number:03d}", "nir": at_payroll,
                                          "ntt": None if before and self.chance(60) else ntt, **names})
        person = {"body": body, "ntt": ntt, "names": names, "employee_id": employee_id, "member_id": self.new_id("M"),
                  "jobs": []}
        for _ in range(self.pick(1, 1, 1, 1, 2, 2, 0)):
            self.employment(person)
        if self.chance(90):
            self.affiliation(person)
        self.people.append(person)

    def at_alan(self, person):
        """What Alan says of a person on one record: the number, or an NTT in its place."""
        if person["ntt"] and self.chance(70):
            return {"nir": self.pick(person["ntt"], person["ntt"].lower()), **person["names"]}
        body = person["body"]
        number = self.pick(body, body, None, None) if self.chance(93) else self.written(body)
        return {"nir": number, **person["names"]} if self.chance(95) else {"nir": number}

    def employment(self, person):
        starts = self.day(self.month()) if self.chance(25) else "2021-03-01"
        ends = self.day(self.month()) if self.chance(25) else None
        if person["jobs"] and self.chance(60):
            earlier = person["jobs"][-1]
            earlier["ends_on"] = earlier["ends_on"] or self.day(self.month(-3, 0))
            starts, ends = self.pick(first_day(months_after(earlier["ends_on"][:7], 1)), earlier["ends_on"]), None
        if ends and ends < starts and self.chance(80):
            starts, ends = ends, starts
        job = {"employment_id": self.new_id("J"), "employee_id": person["employee_id"],
               "siret": self.siren + self.pick("00012", "00020"), "starts_on": starts, "ends_on": ends,
               "status": "active",
               "category": self.pick("executive", "non_executive", None), "health_contract_ids": [],
               "provident_contract_ids": [], "exempt": self.pick(True, False, None) if self.chance(15) else None}
        for given in self.records["payroll_contracts"]:
            if self.chance(60):
                job[given["product"] + "_contract_ids"].append(given["payroll_contract_id"])
            elif self.chance(30):
                given["employment_ids"].append(job["employment_id"])
        self.records["employments"].append(job)
        person["jobs"].append(job)

    def affiliation(self, person):
        for contract in self.records["contracts"]:
            if not self.chance(75):
                continue
            status = self.pick("active", "pending", "exempt", "suspended", "portability", "ended") \
                if self.chance(25) else "active"
            record = {"affiliation_id": self.new_id("A"), "member_id": person["member_id"],
                      "contract_id": contract["contract_id"], "status": status, "category": self.pick("all", None),
                      "starts_on": "2023-01-01" if self.chance(85) else self.day(self.month()), **self.at_alan(person)}
            if status == "ended" or self.chance(8):
                record["ends_on"] = max(self.day(self.month()), record["starts_on"])
            if status == "exempt" and self.chance(85):
                record.update(exemption_ground=self.pick("c2s", "individual"), exemption_proof=self.pick("x", None),
                              exemption_from=self.pick(None, first_day(self.month()), self.day(self.month())),
                              exemption_to=self.pick(None, last_day(self.month()), self.day(self.month())))
            self.records["affiliations"].append(record)
            if self.chance(8):
                self.records["affiliations"].append({**record, "affiliation_id": self.new_id("A"), "ends_on": None,
                                                     "status": self.pick("pending", "portability", "exempt")})

    def months(self):
        """Pay of the year so far, with gaps."""
        for job in self.records["employments"]:
            year = self.own[:4]
            if self.chance(10):
                continue
            for number in range(1, 13):
                month = f"{year}-{number:02d}"
                if month > months_after(self.own, 1) or self.chance(3):
                    continue
                gross = self.pick(0, 150000, 300000, 401234, 950000, 4000000, self.rng.randrange(10**6))
                base = {"employment_id": job["employment_id"], "month": month, "gross_cents": gross}
                if self.chance(40):
                    base["t1_cents"] = min(gross, 400500) * self.pick(1, 1, 1, 1, -1)
                if self.chance(40):
                    base["t2_cents"] = max(0, gross - 400500) - self.pick(0, 0, 0, 0, 1000)
                self.records["pay_bases"].append(base)

    # ---- invoices ----

    def invoices(self):
        for back in range(self.run.lookback + 1):
            for _ in range(self.pick(0, 1, 1, 1, 2) if back else self.pick(1, 1, 1, 2, 0)):
                self.invoice(months_after(self.own, -back))

    def invoice(self, billing):
        invoice = {"invoice_id": self.new_id("I"), "number": self.new_id("F"), "siren": self.siren, "currency": "EUR",
                   "type": "credit_note" if self.chance(10) else "invoice", "billing_month": billing,
                   "issued_on": self.day(billing), "status": self.pick("issued", "paid")}
        if self.chance(7):
            invoice["status"] = "cancelled"
        if self.chance(5):
            invoice["siren"] = self.former
        lines = self.lines(invoice)
        not_delivered = invoice["status"] == "cancelled" and self.chance(50)
        invoice["line_count"] = len(lines) + (self.pick(-1, 1) if lines and self.chance(5) else 0)
        wrong = self.pick(-1, 1, 500) if self.chance(8) else 0
        invoice["total_cents"] = sum(x["amount_cents"] for x in lines) + wrong
        if lines and self.chance(12):
            lines.pop(self.rng.randrange(len(lines)))
            if self.chance(50):
                invoice["line_count"] = len(lines)
                invoice["total_cents"] = sum(x["amount_cents"] for x in lines)
        self.records["invoices"].append(invoice)
        self.not_delivered += lines if not_delivered else []
        self.records["invoice_lines"].extend([] if not_delivered else lines)

    def lines(self, invoice):
        lines = []
        for person in self.people:
            for contract in self.records["contracts"]:
                for member_type in self.rng.sample(FAMILY, self.pick(0, 1, 1, 2)):
                    lines.append(self.line(invoice, contract, member_type, person))
        if self.chance(30):
            lines.append(self.company_line(invoice))
        if self.chance(10):
            lines.append(self.line(invoice, self.contract(), "employee", self.pick(None, *self.people), kind="fee"))
        for _ in range(self.pick(0, 0, 1, 2)):
            earlier = self.records["invoice_lines"] + lines
            if earlier:
                lines.append(self.second(invoice, self.rng.choice(earlier)))
        return lines

    def line(self, invoice, contract, member_type, person, **more):
        terms = [x for x in contract["terms"] if x["member_type"] == member_type]
        term = self.rng.choice(terms or [{"basis": "fixed"}])
        kind = "adjustment" if invoice["type"] == "credit_note" or self.chance(10) else "recurring"
        first, last = self.cover(invoice["billing_month"])
        amount = self.pick(term.get("price_cents") or self.cents(), self.cents()) * (-1 if kind == "adjustment" else 1)
        line = {"line_id": self.new_id("L"), "invoice_id": invoice["invoice_id"],
                "contract_id": contract["contract_id"], "member_type": member_type,
                "option_code": term.get("option_code") if self.chance(90) else self.code(),
                "population_code": term.get("population_code"), "category": self.pick(None, None, "all", "executive"),
                "basis": term["basis"], "cover_from": first, "cover_to": last, "kind": kind,
                "label": "Santé", "amount_cents": amount if self.chance(97) else self.pick(0, -amount), **more}
        if person:
            line.update(member_id=person["member_id"], **self.at_alan(person))
            if self.chance(3):
                gone = self.pick(("nir", "last_name"), ("nir", "first_name"), ())
                line = {x: y for x, y in line.items() if x not in gone}
                line["member_id"] = None
        if member_type in ("partner", "child") and self.chance(50):
            line["beneficiary_id"] = self.pick("b1", "b2")
        if line["basis"] != "fixed" and self.chance(50):
            line["base_cents"] = self.pick(0, 400500, 120338, self.rng.randrange(10**6), -5000)
            self.rated_amount(line, term)
        if self.chance(2):
            line["contract_id"] = "C-unknown"
        if self.chance(1):
            line["member_type"] = self.rng.choice(FAMILY)
        return self.unusable(line) if self.chance(1) else line

    def unusable(self, line):
        """A line that has no place in any month."""
        if self.chance(50):
            return {**line, "invoice_id": "I-unknown"}
        return {**line, "cover_from": line["cover_to"], "cover_to": self.pick("2020-01-31", "2099-12-31")}

    def rated_amount(self, line, term):
        """What the rate asks for, so that rounding per payer counts."""
        if term.get("rate_ppm") and self.chance(70):
            line["amount_cents"] = line["base_cents"] * term["rate_ppm"] // 10**6 + self.pick(0, 0, 1)

    def cover(self, billing):
        month = months_after(billing, self.pick(0, 0, 0, 0, 0, 0, -1, -2, 1))
        if self.chance(12):
            return self.day(month), self.day(months_after(month, self.rng.randint(1, 4)))
        if self.chance(80):
            return first_day(month), last_day(month)
        return tuple(sorted((self.day(month), self.day(month))))

    def company_line(self, invoice):
        """For the whole company, or a category of it."""
        line = self.line(invoice, self.contract(self.pick("provident", "provident", "health")), "employee", None)
        if self.chance(30):
            line["amount_cents"] = self.rng.randrange(10**9)
        return {**line, "category": self.pick(None, "all", "executive", "non_executive")}

    def second(self, invoice, other):
        """A line that repeats another or takes it back, in whole or in part."""
        line = {**other, "line_id": self.new_id("L"), "invoice_id": invoice["invoice_id"]}
        if self.chance(45):
            return line
        amount = self.pick(-other["amount_cents"], -other["amount_cents"], -1, 500)
        adjusts = self.pick(other["line_id"], other["line_id"], other["line_id"], "L-unknown", None)
        return {**line, "kind": "adjustment", "amount_cents": amount, "adjusts_line_id": adjusts}

    # ---- what people decided, what closed months hold ----

    def decisions(self):
        links, dispenses = {}, []
        for person in self.people:
            if self.chance(15):
                links[person["member_id"]] = self.pick(person, *self.people)["employee_id"]
            if self.chance(12):
                first = self.pick("2023-01-01", first_day(self.month()), self.day(self.month()))
                last = self.pick(None, last_day(self.month()), self.day(self.month()))
                dispenses += self.dispenses_of(person, first, last)
        self.records["links"] = [{"member_id": m, "employee_id": e} for m, e in links.items()]
        self.records["dispenses"] = dispenses
        closed = [months_after(self.run.period, -back) for back in range(1, self.run.lookback + 2)]
        closed = closed[self.rng.randrange(len(closed) + 1):] if self.chance(80) else closed
        if self.chance(4):
            closed.append(self.run.period)
        self.records["closed_periods"] = [{"payroll_month": month} for month in closed]

    def dispenses_of(self, person, first, last):
        """One, and maybe another that continues it, on the next day or a day too late."""
        if last and first > last:
            return []
        dispense = {"employee_id": person["employee_id"], "ground": self.pick("c2s", "act_before"), "valid_from": first,
                    "valid_to": last, "proof": self.pick(None, "x")}
        if not last or self.chance(40):
            return [dispense]
        after = day_after(last) if self.chance(50) else day_after(day_after(last))
        return [dispense, {**dispense, "valid_from": after, "valid_to": None}]

    def posted(self):
        """What closed months gave: mostly for lines that are there, not always what they are worth now."""
        closed = {x["payroll_month"] for x in self.records["closed_periods"]}
        billing = {x["invoice_id"]: x["billing_month"] for x in self.records["invoices"]}
        posted = {}
        for line in self.records["invoice_lines"] + self.not_delivered + self.gone():
            month = billing.get(line["invoice_id"], self.own)
            if months_after(month, self.run.shift) not in closed or not self.chance(60):
                continue
            jobs = self.records["employments"]
            for job in self.rng.sample(jobs, min(len(jobs), self.pick(1, 1, 2))):
                cover = line["cover_from"] if self.chance(90) else first_day(months_after(line["cover_from"][:7], 1))
                row = self.posted_row(line, self.pick(job["employment_id"], job["employment_id"], None), month, cover)
                if row["amount_cents"] or row["employer_cents"]:
                    posted[row["line_id"], row["employment_id"], cover[:7]] = row
        self.records["posted"] = list(posted.values())

    def gone(self):
        """Lines that the feed no longer has, of an invoice that it has, or not."""
        known = [x["invoice_id"] for x in self.records["invoices"]]
        return [self.line({"invoice_id": self.pick("I-gone", *known), "type": "invoice", "billing_month": self.own},
                          self.contract(), "employee", None) for _ in range(self.pick(0, 0, 0, 1, 2))]

    def posted_row(self, line, employment_id, billing, cover):
        contract = next((x for x in self.records["contracts"] if x["contract_id"] == line["contract_id"]), {})
        amount = line["amount_cents"] + self.pick(0, 0, 0, 1, -100)
        base = self.pick(line.get("base_cents"), None if line["basis"] == "fixed" else self.cents())
        employer = round(amount * self.pick(0.6, 0.5, 1)) if abs(amount) < 10**12 else amount
        return {"invoice_id": line["invoice_id"], "line_id": line["line_id"], "employment_id": employment_id,
                "billing_month": billing, "contract_id": line["contract_id"], "product": contract.get("product"),
                "component": line["basis"], "member_type": line["member_type"], "option_code": line["option_code"],
                "population_code": line["population_code"], "cover_from": cover, "cover_to": last_day(cover[:7]),
                "base_cents": None if employment_id is None else base,  # a fee has none
                "amount_cents": amount, "employer_cents": employer,
                "employee_cents": amount - employer}

    def result(self):
        company = {"company_id": self.id, "siren": self.siren, "name": "Acme", "headcount": self.pick(5, 14, None),
                   "previous_sirens": [{"siren": self.former, "until": self.day(self.own)}] if self.chance(30) else [],
                   "establishments": [{"siret": self.siren + "00012"}, {"siret": self.siren + "00020"}]}
        return company, {entity: records for entity, records in self.records.items() if records}


def company(company_id, seed, run):
    return Company(company_id, seed, run).result()
