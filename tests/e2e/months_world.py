"""Two companies to which six payroll months happen (months_story.py), as they are before the first night. Premiums are
chosen so that halves and shares of them fall between cents."""
import calendar
from fractions import Fraction

from harness import ROOT

from world import Company, Term, month_first, month_last, round_half_up, with_luhn

GLASSWORKS, OFFICE = "verrerie-lenoir", "cabinet-ostermann"
FORMER_SIREN, NEW_SIREN = with_luhn("45678912"), with_luhn("91234568")
BASE, RAISED, REPLACED = 11711, 12345, 12005   # the monthly premium, as raised from February, of the next contract
RAISE = RAISED - BASE
OFFICE_PRICE = 9877


class Glassworks:
    """Twelve people, one health contract at a time; payroll's month is closed by the payroll manager."""

    people = (  # name, sex, birth date, partners, children, option
        ("Alice Aubin", 2, "1981-02-03", 0, 1, "BASE"), ("Bastien Blanc", 1, "1975-06-30", 1, 0, "BASE"),
        ("Karim Lasserre", 1, "1990-12-12", 0, 0, "BASE"), ("Emma Faure", 2, "1988-03-19", 0, 0, "BASE"),
        ("Farid Gallo", 1, "1979-09-25", 0, 0, "BASE"), ("Gaëlle Hubert", 2, "1993-01-08", 0, 0, "CONFORT"),
        ("Inès Jourdan", 2, "1985-11-14", 0, 0, "BASE"), ("Jules Kermorvan", 1, "1996-04-02", 0, 0, "BASE"),
        ("Léa Marchal", 2, "1991-08-21", 0, 0, "BASE"))

    def __init__(self):
        self.company = Company(GLASSWORKS, "81234567", "Verrerie Lenoir")
        self.site = self.company.site("0001", "payfit-key-glassworks")
        self.site.data["payroll_status"] = {}
        self.contract = self.company.contract("health", "SANTE00000000A1", [
            Term("BASE", "ENS", price=BASE), Term("BASE", "ENS", "partner", price=BASE, share=500000),
            Term("BASE", "ENS", "child", price=6985), Term("CONFORT", "ENS", price=15421),
            Term("CONFORT", "ENS", "option", price=1275, share=0)])
        self.plans = {option: self.site.plan("health", self.contract.reference, option, "ENS")
                      for option in ("BASE", "CONFORT")}
        self.links, self.members = {}, {}
        for name, sex, born, partners, children, option in self.people:
            person = self.company.person(name, sex, born)
            self.hire(person, "2020-01-06", option)
            unknown = {"nir": None, "last_name": "Kermo"} if name == "Jules Kermorvan" else {}
            self.join(person, "2024-01-01", option, partners=partners, children=children, **unknown)
        self.late = {name: self.company.person(name, sex, born) for name, sex, born in (
            ("Chloé Costa", 2, "1999-05-05"), ("Denis Duval", 1, "1972-10-10"), ("Hugo Imbert", 1, "1994-07-17"))}
        self.join(self.late["Denis Duval"], "2026-01-05")

    def hire(self, person, since, option="BASE"):
        self.site.hire(person, since, health=self.plans[option])

    def join(self, person, since, option="BASE", **more):
        self.members[person.name] = self.company.join(person, self.contract, since, option, "ENS", **more)

    def person(self, name):
        return next(person for person in self.company.people if person.name == name)

    def bill(self, month):
        invoice = self.company.invoice(month)
        for name, affiliation in self.members.items():
            if affiliation["status"] == "active":
                self.company.bill_family(invoice, affiliation, self.contract)
        return invoice

    def adjust(self, invoice, name, month, amount=None, **more):
        """A line of an earlier month on a later invoice: of the employee's premium or of the amount given."""
        amount = {} if amount is None else {"amount_cents": amount}
        return self.company.bill(invoice, self.members[name], self.contract, kind="adjustment",
                                 cover_from=month_first(month), cover_to=month_last(month), **amount, **more)

    def line(self, name, month, member_type="employee", billed=None):
        """A line for the cover of a month, billed in it unless it says otherwise."""
        line, = (line for line in self.company.alan["invoice_lines"]
                 if line["member_id"] == self.person(name).member_id and line["cover_from"] == month_first(month)
                 and line["member_type"] == member_type and line["invoice_id"].endswith(billed or month))
        return line

    def link(self, member, employee):
        """Returns the call that the payroll manager makes; employee None takes the link back."""
        member_id = self.person(member).member_id
        if employee is None:
            del self.links[member_id]
            return f"SELECT payroll.unlink_member('{self.company.id}', '{member_id}', 'not the same person')"
        self.links[member_id] = self.person(employee).employee_id
        return (f"SELECT payroll.link_member('{self.company.id}', '{member_id}', '{self.links[member_id]}', "
                "'says so on the telephone')")


class Office:
    """Ten people: health prorated by days, provident per executive on T1 and T2 and as one line for all the others."""

    people = (  # name, sex, birth date, executive, gross pay in cents
        ("Noémie Naudin", 2, "1970-02-27", True, 612345), ("Oscar Ostermann", 1, "1966-09-09", True, 487650),
        ("Paula Petit", 2, "1987-03-01", False, 231540), ("Quentin Quéré", 1, "1998-12-24", False, 198733),
        ("Rosa Rossi", 2, "1990-05-16", False, 254075), ("Théo Tanguy", 1, "1983-10-31", False, 219870),
        ("Uma Urbain", 2, "1977-07-07", False, 276543), ("Vic Vidal", 1, "2001-01-20", False, 188005),
        ("Will Weil", 1, "1992-08-13", False, 265481))

    def __init__(self):
        self.company = Company(OFFICE, FORMER_SIREN[:8], "Cabinet Ostermann")
        self.site = self.company.site("0001", "payfit-key-office")
        self.site.data["payroll_status"] = {}
        self.contract = self.company.contract("health", "SANTE00000000B1", [
            Term("BASE", "ENS", price=OFFICE_PRICE, share=500000)], proration="calendar_days")
        self.provident = self.company.contract("provident", "PREV000000000B1", [
            Term(None, "CAD", category="executive", basis="t1", rate=15000, share=1000000),
            Term(None, "CAD", category="executive", basis="t2", rate=11300, share=500000),
            Term(None, "NCA", category="non_executive", basis="t1", rate=8100, share=600000)])
        self.plan = self.site.plan("health", self.contract.reference, "BASE", "ENS")
        self.provident_plan = self.site.plan("provident", self.provident.reference)
        self.links, self.members, self.executives, self.gross = {}, {}, {}, {}
        for name, sex, born, executive, gross in self.people:
            person = self.company.person(name, sex, born)
            self.hire(person, "2021-04-01", executive)
            self.join(person, "2024-01-01", gross)
            if executive:
                self.executives[name] = self.company.join(person, self.provident, "2024-01-01", None, "CAD",
                                                          "executive")
        self.sarr = self.company.person("Salif Sarr", 1, "1995-02-02")
        self.join(self.sarr, "2026-02-16", 240000)

    def hire(self, person, since, executive=False):
        self.site.hire(person, since, health=self.plan, provident=self.provident_plan, executive=executive)

    def join(self, person, since, gross):
        self.members[person.name] = self.company.join(person, self.contract, since, "BASE", "ENS")
        self.gross[person.name] = gross

    def person(self, name):
        return next(person for person in self.company.people if person.name == name)

    def pay(self, month, *names):
        """The pay bases of a month, rising a little every month."""
        for name in names or [name for name, *_ in self.people]:
            self.company.pay(self.person(name), month, self.gross[name] + 1111 * int(month[5:]))

    def bill_health(self, month, suffix="", without=(), **wrong):
        invoice = self.company.invoice(month, suffix=suffix, **wrong)
        for name, affiliation in self.members.items():
            if name not in without and affiliation["starts_on"] <= month_last(month):
                self.company.bill(invoice, affiliation, self.contract, **self.days(affiliation, month))
        return invoice

    @staticmethod
    def days(affiliation, month):
        """Cover that begins inside the month, at the price of its days."""
        if affiliation["starts_on"] <= month_first(month):
            return {}
        days = calendar.monthrange(*map(int, month.split("-")))[1]
        covered = days - int(affiliation["starts_on"][8:]) + 1
        return {"cover_from": affiliation["starts_on"],
                "amount_cents": round_half_up(Fraction(OFFICE_PRICE * covered, days))}

    def bill_provident(self, month, issued_on=None):
        """Percentages of the pay known to Alan, which has it from elsewhere."""
        invoice = self.company.invoice(month, issued_on, suffix="P")
        pay = {person.name: (t1, t2) for person, of, _, t1, t2 in self.company.bases if of == month}
        for name, affiliation in self.executives.items():
            for basis, base in zip(("t1", "t2"), pay[name]):
                self.company.bill(invoice, affiliation, self.provident, basis=basis, base=base)
        total = sum(pay[name][0] for name, _, _, executive, _ in self.people if not executive and name in pay)
        amount = round_half_up(Fraction(total * 8100, 10**6)) + 3   # as nobody's premiums add up
        nobody = {"member_id": None, "nir": None, "first_name": None, "last_name": None, "birth_date": None}
        self.company.bill(invoice, {**nobody, "option_code": None, "population_code": "NCA",
                                    "category": "non_executive"}, self.provident, basis="t1", base=total,
                          amount_cents=amount, label="Prévoyance des non-cadres")


class World:
    def __init__(self):
        self.glassworks, self.office = Glassworks(), Office()
        self.sides = (self.glassworks, self.office)
        self.calls = []         # what the payroll manager does before the night
        self.rejects = 0        # records of the night that cannot be used

    def configuration(self):
        """The configuration of the sample with these companies, and one unusable record let pass."""
        head = (ROOT / "pipeline.yaml").read_text(encoding="utf-8").partition("\ncompanies:\n")[0]
        text = head.replace("reject_limit: 0 ", "reject_limit: 1 ") + "\ncompanies:\n"
        for side, key in zip(self.sides, ("GLASSWORKS", "OFFICE")):
            company = side.company
            former = [] if company.siren != NEW_SIREN else [FORMER_SIREN]
            text += f"""  - id: {company.id}
    siren: "{company.siren}"
    headcount: 14
    alan_company_id: {company.alan_id}
    previous_sirens: [{", ".join(f'{{ siren: "{siren}", until: 2026-03-31 }}' for siren in former)}]
    establishments:
      - {{ siret: "{side.site.siret}", payroll_company_id: {side.site.id}, payroll_token: "${{{key}}}" }}
"""
        return text
