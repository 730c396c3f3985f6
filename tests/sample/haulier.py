"""Company 3: every discrepancy at least once, each by a cause a payroll manager would recognise. What each person,
contract and invoice must raise stands beside it, in expect(); the end-to-end test compares the whole list."""
from world import Company, Term, nir_key, with_luhn

STALE = "2026-04-22T04:00:00Z"  # Alan's data stood still for five days
OLD_SIREN = with_luhn("52387419")
BASE, COMFORT, ECO, PREMIUM = 11710, 15420, 6540, 13000


class Haulier:
    """The company, and the usual way to put somebody on both sides and on the April invoice."""

    def __init__(self):
        self.company = company = Company("transports-keller", "90127735", "Transports Keller", as_of=STALE,
                                         previous_sirens=[{"siren": OLD_SIREN, "until": "2025-12-31"}])
        company.encoding = "cp1252"
        self.site = company.site("0001", "payfit-sample-key-haulier")
        self.health = company.contract("health", "SANTE0000000003", [
            Term("BASE", "ENS", price=BASE), Term("BASE", "ENS", "child", price=6980),
            Term("CONFORT", "ENS", price=COMFORT), Term("ECO", "STG", price=ECO, share=400000)])
        self.provident = company.contract("provident", "PREV0000000003", [
            Term(None, "ENS", basis="t1", rate=8100, share=600000)])
        self.plans = {option: self.site.plan("health", self.health.reference, option, population)
                      for option, population in (("BASE", "ENS"), ("CONFORT", "ENS"), ("ECO", "STG"))}
        self.march = company.invoice("2026-03")
        self.april = company.invoice("2026-04")

    def hire(self, person, since="2022-03-01", until=None, option="BASE", **wrong):
        self.site.hire(person, since, until, health=self.plans[option] if option else None, **wrong)

    def join(self, person, since="2024-01-01", option="BASE", **wrong):
        return self.company.join(person, self.health, since, option, "STG" if option == "ECO" else "ENS", **wrong)

    def bill(self, affiliation, invoice=None, **wrong):
        return self.company.bill(invoice or self.april, affiliation, self.health, **wrong)

    def usual(self, name, sex, born, **wrong):
        """Somebody with whom nothing is wrong."""
        person = self.company.person(name, sex, born, **wrong)
        self.hire(person)
        affiliation = self.join(person)
        self.bill(affiliation)
        return person, affiliation

    def expect(self, *args, **more):
        self.company.expect(*args, **more)


def build():
    haulier = Haulier()
    plain(haulier)
    identity(haulier)
    synchronisation(haulier)
    assignment(haulier)
    exemptions(haulier)
    entries_and_exits(haulier)
    prices(haulier)
    contracts(haulier)
    invoices(haulier)
    return haulier.company


def plain(haulier):
    for name, sex, born in (("Adrien Keller", 1, "1970-04-12"), ("Brigitte Keller", 2, "1972-09-03"),
                            ("Claude Jaeger", 1, "1985-12-24")):
        haulier.bill(haulier.usual(name, sex, born)[1], haulier.march)


def identity(haulier):
    company = haulier.company

    nadege = company.person("Nadège Ferrand", 2, "1988-05-12", birth_name="Colin")
    haulier.hire(nadege)
    husband = "1880578100045"
    haulier.bill(haulier.join(nadege, last_name="Collin", birth_name=None, nir=husband + nir_key(husband)))
    haulier.expect("member_not_in_payroll", ("member", nadege.member_id), held=BASE,
                   why="Alan knows her by a misspelt maiden name and her husband's number")
    haulier.expect("employee_not_at_insurer", nadege, "the other side of the same confusion")

    karim = company.person("Karim Benali", 1, "1991-08-17")
    haulier.hire(karim)
    other = karim.nir[:7] + "351" + karim.nir[10:13]
    haulier.bill(haulier.join(karim, nir=other + nir_key(other)))
    haulier.expect("nir_mismatch", karim, "Alan's number names another commune of birth", held=BASE)

    lucie = company.person("Lucie Perret", 2, "1996-02-28")
    haulier.hire(lucie, "2026-02-02")
    haulier.expect("employee_not_at_insurer", lucie, "hired in February, never invited to join Alan")

    enzo = company.person("Enzo Vidal", 1, "2002-11-06")
    haulier.hire(enzo, "2026-04-20", socialSecurityNumber=None)
    haulier.expect("nir_missing", enzo, "hired a week ago, has not handed in his number")
    haulier.expect("pending_synchronisation", enzo, "and Alan does not know him yet")

    sandrine = company.person("Sandrine Hamon", 2, "1979-03-15")
    haulier.hire(sandrine)
    haulier.bill(haulier.join(sandrine, nir=sandrine.nir[:13] + f"{int(sandrine.nir[13:]) % 97 + 1:02d}"))
    haulier.expect("nir_invalid", sandrine, "the key was mistyped at Alan; the number itself matches")

    anna = company.person("Anna Kovacs", 2, "1998-07-07")
    provisional = "8" + anna.nir[1:13]
    anna.ntt = f"2{company.siren}TK0017"
    haulier.hire(anna, socialSecurityNumber=provisional + nir_key(provisional))
    haulier.bill(haulier.join(anna, nir=anna.ntt))
    haulier.expect("nir_provisional", anna, "waits for her final number; Alan has her temporary one")

    thomas = company.person("Thomas Girard", 1, "1993-10-21")
    haulier.hire(thomas, "2025-05-01", "2025-09-30", option=None, status="ARCHIVED")
    haulier.hire(thomas, "2026-01-05")
    haulier.bill(haulier.join(thomas, "2026-01-05"))
    haulier.expect("nir_duplicate", thomas, "a second file was made when he came back after a season", held=BASE)

    mireille, _ = haulier.usual("Mireille Schmitt", 2, "1979-06-18")
    haulier.site.data["collaborators"][-1]["birthDate"] = "1997-06-18"
    haulier.expect("nir_birth_mismatch", mireille, "year of birth turned round in payroll: 1997 for 1979")


def synchronisation(haulier):
    haulier.expect("stale_synchronisation", ("source", "alan"), "Alan's data stands as it was on the 22nd")

    patrick = haulier.company.person("Patrick Wagner", 1, "1968-01-09")
    haulier.hire(patrick, option="CONFORT")
    affiliation = haulier.join(patrick, option="CONFORT", updated_at="2026-04-26T10:00:00Z")
    haulier.bill(affiliation, amount_cents=BASE)
    haulier.expect("recent_change", patrick, "moved to CONFORT the day after the invoice, which has BASE's price")


def assignment(haulier):
    company = haulier.company

    romain = company.person("Romain Klein", 1, "1999-09-19")
    haulier.hire(romain, option=None)
    haulier.expect("no_contract_assigned", romain, "nobody chose a contract for him, on either side")

    valerie = company.person("Valérie Muller", 2, "1983-04-04")
    haulier.hire(valerie)
    haulier.join(valerie, until="2026-02-28", status="ended")
    haulier.expect("assigned_not_affiliated", valerie, "Alan ended her cover in February, payroll still deducts")

    didier = company.person("Didier Antoine", 1, "1976-12-12")
    haulier.hire(didier, option=None)
    haulier.bill(haulier.join(didier))
    haulier.expect("affiliated_not_assigned", didier, "covered and billed, forgotten in payroll")


def exemptions(haulier):
    company = haulier.company

    def exempt(name, sex, born, ground, until, proof, in_payroll=True, **more):
        person = company.person(name, sex, born)
        haulier.hire(person, option=None, exempt=in_payroll)
        return person, haulier.join(person, status="exempt", exemption={
            "ground": ground, "valid_from": "2025-10-01", "valid_to": until, "proof": proof}, **more)

    samia, affiliation = exempt("Samia Toumi", 2, "1990-05-25", "other_collective", "2026-12-31", "attestation.pdf")
    haulier.bill(affiliation)
    haulier.expect("exempt_but_billed", samia, "covered by her husband's employer, and billed all the same", held=BASE)

    gilles = company.person("Gilles Hoffmann", 1, "1965-08-08")
    haulier.hire(gilles, option=None, exempt=True)
    haulier.join(gilles)
    haulier.expect("exempt_but_affiliated", gilles, "exempt in payroll, still active at Alan")
    haulier.expect("dispense_unproven", gilles, "and payroll's tick is all there is: no ground, no certificate")

    laura, _ = exempt("Laura Meyer", 2, "2001-03-31", "short_contract", "2026-04-15", "attestation-laura.pdf",
                      in_payroll=False)
    haulier.expect("dispense_expired", laura, "her exemption ended on the 15th")

    kevin, _ = exempt("Kévin Roth", 1, "2000-10-10", "c2s", "2026-12-31", None)
    haulier.expect("dispense_unproven", kevin, "his certificate of complémentaire santé solidaire is missing")


def entries_and_exits(haulier):
    company = haulier.company

    amelie = company.person("Amélie Simon", 2, "1997-05-05")
    haulier.hire(amelie, "2026-05-04", status="PENDING")
    haulier.bill(haulier.join(amelie, "2026-04-01"))
    haulier.expect("billed_before_entry", amelie, "starts in May, Alan bills from April", held=BASE)

    serge = company.person("Serge Lambert", 1, "1964-11-30")
    haulier.hire(serge, "2005-01-03", "2026-03-20")
    haulier.bill(haulier.join(serge))
    haulier.expect("billed_after_exit", serge, "retired in March, Alan was not told", held=BASE)

    ines = company.person("Inès Morel", 2, "1994-02-14")
    haulier.hire(ines, "2023-01-02", "2026-01-31")
    haulier.bill(haulier.join(ines, status="portability", until="2027-01-31"))
    haulier.expect("portability_billed", ines, "left in January: her portability is free", held=BASE)

    yann = company.person("Yann Le Bihan", 1, "1992-06-02")
    haulier.hire(yann, "2026-03-09")
    affiliation = haulier.join(yann, "2026-03-09")
    haulier.bill(affiliation)
    haulier.bill(affiliation, kind="adjustment", cover_from="2026-03-09", cover_to="2026-03-31")
    haulier.expect("retroactive_adjustment", yann, "hired on 9 March, told in April: March is billed with April")


def prices(haulier):
    company = haulier.company

    odile, _ = haulier.usual("Odile Fischer", 2, "1981-07-21")
    company.alan["invoice_lines"][-1]["amount_cents"] += PREMIUM - BASE
    haulier.april["total_cents"] += PREMIUM - BASE
    haulier.expect("price_mismatch", odile, "billed 130.00 where the contract says 117.10")

    tom = company.person("Tom Becker", 1, "2003-01-23")
    haulier.hire(tom, "2025-09-01", option="ECO")
    haulier.bill(haulier.join(tom, "2025-09-01", option="ECO"))
    haulier.expect("employer_share_below_minimum", ("contract", haulier.health.id),
                   "the trainees' formula leaves the employer 40 %")

    _, affiliation = haulier.usual("Irène Weiss", 2, "1987-03-03")
    haulier.bill(affiliation, member_type="employee", option_code="SURCO", amount_cents=2150,
                 label="Santé, surcomplémentaire", id="lin_surco")
    haulier.expect("split_rule_missing", ("contract", haulier.health.id), held=2150,
                   why="an extra formula that the contract's terms do not know")

    boris, affiliation = haulier.usual("Boris Lang", 1, "1978-10-16")
    haulier.bill(affiliation)
    haulier.expect("duplicate_line", boris, "the same month twice on the invoice", held=BASE)

    elise, _ = haulier.usual("Élise Vogel", 2, "1974-01-01")
    company.bill(haulier.april, company.join(elise, haulier.provident, "2024-01-01", None, "ENS"), haulier.provident,
                 basis="t1", amount_cents=1944)
    haulier.expect("base_missing", elise, "a premium on pay, and the spreadsheet leaves her pay out", held=1944)
    company.pay(haulier.usual("Franck Zimmer", 1, "1980-08-28")[0], "2026-04", 240000)


def contracts(haulier):
    company = haulier.company

    old = company.contract("health", "SANTE0000000030", [Term("BASE", "ENS", price=10980)], valid_from="2020-01-01",
                           valid_to="2025-12-31", status="terminated", siren=OLD_SIREN)
    haulier.site.plan("health", old.reference, "BASE", "ENS")
    haulier.expect("contract_superseded", ("contract", old.id), "replaced with the new SIREN, still in payroll")

    _, affiliation = haulier.usual("Greta Baumann", 2, "1986-06-06")
    unknown = "ct_sante0000000099"
    haulier.bill(affiliation, contract_id=unknown, member_type="child",
                 beneficiary=f"{affiliation['member_id']}_child1")
    haulier.expect("contract_unknown", ("contract", unknown), held=6980,
                   why="her child is billed under a contract Alan does not list")


def invoices(haulier):
    company = haulier.company

    fee = company.invoice("2026-04", suffix="-B")
    haulier.bill(_second_site(haulier, "Hervé Lutz", 1, "1971-02-20"), fee)
    fee["total_cents"] += 1500
    haulier.expect("invoice_total_mismatch", ("invoice", fee["id"]), "a 15.00 fee in the total, on no line")

    short = company.invoice("2026-04", suffix="-C")
    haulier.bill(_second_site(haulier, "Justine Oster", 2, "1989-12-19"), short)
    short["line_count"] += 1
    haulier.expect("line_count_mismatch", ("invoice", short["id"]), "a newborn's free line did not come through")

    late = company.invoice("2026-04", suffix="-D", siren=OLD_SIREN)
    haulier.bill(_second_site(haulier, "Léon Stein", 1, "1995-05-15"), late)
    haulier.expect("siren_mismatch", ("invoice", late["id"]), "made out to the SIREN given up in December")


def _second_site(haulier, name, sex, born):
    """Somebody whom Alan bills on an invoice of its own."""
    person = haulier.company.person(name, sex, born)
    haulier.hire(person)
    return haulier.join(person)
