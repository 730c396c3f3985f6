"""Builds what the sources of one company hold: Alan's account, PayFit's establishments and a spreadsheet of pay bases.

A Person is somebody as they really are. hire() puts them into payroll and join() makes them a member at Alan; both take
what that side got wrong. Money is integer cents, rates are parts per million, dates are text."""
import calendar
import hashlib
import json
from dataclasses import dataclass, field
from fractions import Fraction

MONTHS = ("2026-02", "2026-03", "2026-04")
PMSS_CENTS = 400500
LABELS = {("health", "employee"): "Santé, salarié", ("health", "partner"): "Santé, conjoint",
          ("health", "child"): "Santé, enfant", ("health", "option"): "Santé, renfort hospitalisation",
          ("provident", "employee"): "Prévoyance"}
AS_OF = "2026-04-27T04:00:00Z"


def month_first(month):
    return f"{month}-01"


def month_last(month):
    year, number = map(int, month.split("-"))
    return f"{month}-{calendar.monthrange(year, number)[1]:02d}"


def hex_id(*parts):
    """An identifier as PayFit makes them: 24 hexadecimal digits."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:24]


def with_luhn(digits):
    total = 0
    for position, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if position % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return digits + str(-total % 10)


def nir_key(nir13):
    return f"{97 - int(nir13.replace('2A', '19').replace('2B', '18')) % 97:02d}"


def make_nir(sex, birth_date, department, commune, order):
    nir13 = f"{sex}{birth_date[2:4]}{birth_date[5:7]}{department:0>2}{commune:03d}{order:03d}"
    return nir13 + nir_key(nir13)


def as_alan_writes(nir, number):
    """Alan's users type their number: some with spaces, some without its key, some in lower case."""
    if nir is None or number % 3 == 1:
        return nir
    if number % 3 == 0:
        return nir[:13].lower()
    return " ".join((nir[0], nir[1:3], nir[3:5], nir[5:7], nir[7:10], nir[10:13], nir[13:]))


def round_half_up(value):
    """To whole cents, away from zero on the half."""
    sign = -1 if value < 0 else 1
    return sign * int(abs(Fraction(value)) + Fraction(1, 2))


@dataclass
class Person:
    number: int
    sex: int
    first_name: str
    last_name: str
    birth_date: str
    birth_name: str = None
    nir: str = None
    ntt: str = None
    employment_id: str = None
    employee_id: str = None
    member_id: str = None

    @property
    def name(self):
        return f"{self.first_name} {self.last_name}"


@dataclass
class Term:
    """The price of one thing and who pays it, as Alan's contract says."""
    option: str
    population: str
    member_type: str = "employee"
    category: str = "all"
    basis: str = "fixed"
    price: int = None
    rate: int = None
    share: int = 600000

    def wire(self, valid_from):
        return {"option_code": self.option, "population_code": self.population, "category": self.category,
                "member_type": self.member_type, "valid_from": valid_from, "valid_to": None, "basis": self.basis,
                "price_cents": self.price, "rate_ppm": self.rate, "employer_share_ppm": self.share,
                "employer_fixed_cents": None}

    def shares(self, base=None):
        """What employer and employee pay: a percentage is rounded for each payer, a price only once."""
        share = Fraction(self.share, 10**6)
        if self.rate is None:
            employer = round_half_up(self.price * share)
            return employer, self.price - employer
        premium = Fraction(base * self.rate, 10**6)
        return round_half_up(premium * share), round_half_up(premium * (1 - share))


@dataclass
class Contract:
    id: str
    product: str
    reference: str
    terms: list = field(default_factory=list)

    def term(self, option, population, member_type="employee", basis="fixed"):
        for term in self.terms:
            if (term.option, term.population, term.member_type, term.basis) == (option, population, member_type, basis):
                return term
        raise KeyError((self.reference, option, population, member_type, basis))


class Site:
    """An establishment: one SIRET, one PayFit company, one key."""

    def __init__(self, company, nic, key):
        self.company, self.key = company, key
        self.siret = with_luhn(company.siren + nic)
        self.id = hex_id("site", self.siret)
        siret = f"{self.siret[:3]} {self.siret[3:6]} {self.siret[6:9]} {self.siret[9:]}"
        siren = f"{company.siren[:3]} {company.siren[3:6]} {company.siren[6:]}"
        self.data = {
            "company": {"id": self.id, "name": company.name, "siren": siren, "siret": siret, "nbActiveContracts": 0,
                        "healthInsuranceProrationMethod": "none"},
            "payroll_status": {month.replace("-", ""): {"status": "completed",
                                                        "executionEndDate": f"{month_last(month)}T16:30:00Z"}
                               for month in MONTHS[:-1]},
            "collaborators": [], "contracts": [], "health-insurance-contracts": [], "provident-fund-contracts": []}

    def plan(self, product, reference, option=None, population=None):
        """A contract as payroll holds it; people are assigned to it."""
        plan = {"idContrat": hex_id(self.siret, product, reference, option, population), "refContrat": reference,
                "codePopulation": population, "codeOption": option, "affiliatedContractIds": [],
                "modeCalculCotisation": "2" if product == "health" else "1", "baseDeCotisation": "4"}
        name = "health-insurance-contracts" if product == "health" else "provident-fund-contracts"
        self.data[name].append(plan)
        return plan

    def hire(self, person, since, until=None, health=None, provident=None, executive=False, status="ACTIVE",
             exempt=None, **wrong):
        """Puts a person on the payroll; wrong overrides PayFit's fields of the collaborator."""
        count = sum(len(site.data["collaborators"]) for site in self.company.sites) + 1
        person.employee_id = hex_id(self.siret, "collaborator", count)
        person.employment_id = hex_id(self.siret, "contract", count)
        plans = [plan for plan in (health, provident) if plan]
        for plan in plans:
            plan["affiliatedContractIds"].append(person.employment_id)
        contract = {"id": person.employment_id, "startDate": since, "endDate": until, "status": status}
        self.data["collaborators"].append({
            "id": person.employee_id, "matricule": f"{count:04d}", "firstName": person.first_name,
            "lastName": person.last_name, "birthName": person.birth_name, "birthDate": person.birth_date,
            "socialSecurityNumber": person.nir, "temporaryTechnicalNumber": person.ntt,
            "contracts": [contract], **wrong})
        employment = {"contractId": person.employment_id, "collaboratorId": person.employee_id, "startDate": since,
                      "endDate": until, "status": status, "statutConventionnelDsn": "04" if executive else "07",
                      "estCadreDirigeant": False,
                      "healthInsuranceContractIds": [health["idContrat"]] if health else [],
                      "providentFundContractIds": [provident["idContrat"]] if provident else []}
        if exempt is not None:
            employment["employeeIsExempted"] = exempt
        self.data["contracts"].append(employment)
        self.data["company"]["nbActiveContracts"] += status == "ACTIVE"

    def administrator(self, first_name, last_name):
        """Somebody with access to PayFit who is not paid."""
        self.data["collaborators"].append({"id": hex_id(self.siret, first_name, last_name), "firstName": first_name,
                                           "lastName": last_name, "contracts": []})


class Company:
    def __init__(self, company_id, siren8, name, as_of=AS_OF, previous_sirens=()):
        self.id, self.siren, self.name = company_id, with_luhn(siren8), name
        self.alan_id = "cmp_" + company_id.replace("-", "_")
        self.sites, self.people, self.bases, self.expected = [], [], [], []
        self.employer_cents, self.employee_cents = {}, {}  # per line of Alan, as the contract's terms split it
        self.contracts = []
        self.alan = {"company": {"id": self.alan_id, "name": name, "siren": self.siren, "previous_sirens":
                                 list(previous_sirens), "updated_at": "2026-01-05T08:00:00Z"},
                     "as_of": as_of, "contracts": [], "affiliations": [], "invoices": [], "invoice_lines": []}

    def site(self, nic, key):
        self.sites.append(Site(self, nic, key))
        self.alan["company"].setdefault("siret", self.sites[0].siret)
        return self.sites[-1]

    def person(self, name, sex, birth_date, department="69", birth_name=None):
        number = len(self.people) + 1
        first_name, last_name = name.split(" ", 1)
        nir = make_nir(sex, birth_date, department, 100 + 7 * number % 800, 10 + 13 * number % 900)
        self.people.append(Person(number, sex, first_name, last_name, birth_date, birth_name, nir))
        return self.people[-1]

    def contract(self, product, reference, terms, valid_from="2024-01-01", valid_to=None, status="active", **more):
        contract = Contract(f"ct_{reference.lower()}", product, reference, list(terms))
        self.contracts.append(contract)
        self.alan["contracts"].append({
            "id": contract.id, "product": product, "reference": reference, "insurer_code": "AALAN1",
            "delegate_code": None, "siren": self.siren, "valid_from": valid_from, "valid_to": valid_to, "status": status, "proration": "none",
            "updated_at": "2026-01-05T08:00:00Z", "terms": [term.wire(valid_from) for term in contract.terms], **more})
        return contract

    def join(self, person, contract, since, option, population, category="all", until=None, status="active",
             exemption=None, partners=0, children=0, updated_at="2026-01-10T09:00:00Z", **wrong):
        """Makes a person a member at Alan, or a member affiliated to one more contract; wrong overrides Alan's fields."""
        person.member_id = person.member_id or f"mbr_{self.alan_id[4:7]}{person.number:03d}"
        affiliation = {
            "id": f"aff_{len(self.alan['affiliations']) + 1:04d}", "member_id": person.member_id,
            "contract_id": contract.id, "status": status, "nir": as_alan_writes(person.nir, person.number),
            "first_name": person.first_name, "last_name": person.last_name,
            "birth_name": person.birth_name, "birth_date": person.birth_date, "option_code": option,
            "population_code": population, "category": category,
            "beneficiaries": {"partners": partners, "children": children, "others": 0}, "starts_on": since,
            "ends_on": until, "exemption": exemption, "updated_at": updated_at, **wrong}
        self.alan["affiliations"].append(affiliation)
        return affiliation

    def invoice(self, month, issued_on=None, suffix="", **wrong):
        """An invoice of a billing month; wrong overrides its fields, once close_invoice() has added its lines up."""
        number = f"{month}{suffix}"
        invoice = {"id": f"inv_{self.alan_id[4:7]}_{number}", "number": f"ALAN-{self.siren[:3]}-{number}",
                   "type": "invoice", "siren": self.siren, "billing_month": month,
                   "issued_on": issued_on or f"{month}-25", "due_on": f"{month}-28", "currency": "EUR",
                   "total_cents": 0, "line_count": 0, "status": "issued",
                   "updated_at": f"{month}-25T05:00:00Z", **wrong}
        self.alan["invoices"].append(invoice)
        return invoice

    def bill(self, invoice, affiliation, contract, member_type="employee", basis="fixed", base=None, beneficiary=None,
             count_in=True, **wrong):
        """One line for a member; wrong overrides its fields. count_in False leaves it out of the invoice's total."""
        option, population = affiliation["option_code"], affiliation["population_code"]
        term = contract.term(option, population, member_type, basis)
        month = invoice["billing_month"]
        employer, employee = term.shares(base) if base is not None or term.rate is None else (0, 0)
        number = 1 + sum(line["invoice_id"] == invoice["id"] for line in self.alan["invoice_lines"])
        line = {"id": f"{invoice['id'].replace('inv', 'lin')}_{number:03d}",
                "invoice_id": invoice["id"], "contract_id": contract.id, "member_id": affiliation["member_id"],
                "nir": affiliation["nir"], "first_name": affiliation["first_name"],
                "last_name": affiliation["last_name"],
                "birth_date": affiliation["birth_date"], "member_type": member_type, "beneficiary_id": beneficiary,
                "option_code": option, "population_code": population, "category": affiliation["category"],
                "basis": basis, "base_cents": base, "cover_from": month_first(month), "cover_to": month_last(month),
                "kind": "recurring", "adjusts_line_id": None,
                "label": LABELS[contract.product, member_type] + ("" if basis == "fixed" else f", {basis.upper()}"),
                "amount_cents": employer + employee, **wrong}
        self.alan["invoice_lines"].append(line)
        self.employer_cents[line["id"]], self.employee_cents[line["id"]] = employer, employee
        if count_in:
            invoice["total_cents"] += line["amount_cents"]
            invoice["line_count"] += 1
        return line

    def bill_family(self, invoice, affiliation, contract):
        """The lines of a member and of everybody insured with them; an option where the contract sells one."""
        self.bill(invoice, affiliation, contract)
        for member_type, plural in (("partner", "partners"), ("child", "children")):
            for number in range(1, affiliation["beneficiaries"][plural] + 1):
                self.bill(invoice, affiliation, contract, member_type,
                          beneficiary=f"{affiliation['member_id']}_{member_type}{number}")
        if any(term.member_type == "option" and term.option == affiliation["option_code"] for term in contract.terms):
            self.bill(invoice, affiliation, contract, "option")

    def pay(self, person, month, gross):
        self.bases.append((person, month, gross, min(gross, PMSS_CENTS),
                           max(0, min(gross, 8 * PMSS_CENTS) - PMSS_CENTS)))

    def expect(self, code, subject, why, held=0):
        """A discrepancy that this data must raise. subject: a Person at their employment, or (type, id)."""
        kind, subject_id = ("employment", subject.employment_id) if isinstance(subject, Person) else subject
        self.expected.append({"company_id": self.id, "code": code, "subject_type": kind, "subject_id": subject_id,
                              "held_cents": held, "why": why})

    def write(self, folder):
        for name in ("alan", "payfit", "imports/" + self.id):
            (folder / name).mkdir(parents=True, exist_ok=True)
        write_json(folder / "alan" / f"{self.alan_id}.json", self.alan)
        for site in self.sites:
            write_json(folder / "payfit" / f"{site.id}.json", site.data)
        for month in sorted({base[1] for base in self.bases}):
            self.write_bases(folder / "imports" / self.id / f"bases-{month}.csv",
                             [base for base in self.bases if base[1] == month])

    encoding = "utf-8-sig"

    def write_bases(self, path, rows):
        """As a French spreadsheet saves it: semicolons, decimal comma, and an encoding of its own."""
        lines = ["employment_id;Salarié;month;gross;t1;t2"]
        lines += [f"{person.employment_id};{person.name};{month};{euros(gross)};{euros(t1)};{euros(t2)}"
                  for person, month, gross, t1, t2 in rows]
        path.write_bytes(("\r\n".join(lines) + "\r\n").encode(self.encoding))


def euros(cents):
    return f"{cents // 100},{cents % 100:02d}"


def write_json(path, data):
    path.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
