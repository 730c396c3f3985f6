"""Company 2: forty people over two establishments, each with its own PayFit key. Executives and others, two formulas
and an optional reinforcement, partners and children, provident premiums on T1 and T2, four people exempt with proof, pay
bases from a spreadsheet. Everything adds up; only facts are reported."""
from world import MONTHS, Company, Term

# name, sex, birth date, establishment, executive, formula (. for the exempt), partners, children, gross pay in cents
PEOPLE = """
Antoine Vasseur      1 1971-02-11 0 x CONFORT 1 2 987650
Béatrice Lemoine     2 1976-08-29 0 x CONFORT 0 1 640338
Cédric Aubry         1 1984-05-03 0 x BASE    0 0 520838
Delphine Rey         2 1980-11-17 0 x CONFORT 1 0 495270
Étienne Pasquier     1 1967-01-25 0 x BASE    1 0 873200
Fatima Haddad        2 1989-09-06 0 x CONFORT 0 2 465000
Gaël Le Goff         1 1992-04-14 0 - BASE    0 0 231540
Hélène Marchand      2 1988-12-01 0 - BASE    0 1 254075
Ibrahim Diallo       1 1994-06-21 0 - CONFORT 0 0 242310
Jeanne Roussel       2 1997-03-09 0 - BASE    0 0 198733
Kévin Texier         1 1991-07-30 0 - BASE    1 1 265480
Léa Bonnard          2 1999-10-12 0 - BASE    0 0 191267
Marc O'Brien         1 1973-05-27 0 - CONFORT 1 3 318999
Nadia Belkacem       2 1985-02-18 0 - BASE    0 2 276543
Olivier Charpentier  1 1979-09-08 0 - BASE    0 0 301250
Pauline Guérin       2 1990-01-16 0 - CONFORT 0 0 288817
Quentin Navarro      1 1996-11-05 0 - BASE    0 0 223301
Rachid Amrani        1 1983-08-13 0 - BASE    1 2 295075
Sophie Dubreuil      2 1974-04-02 0 - BASE    0 0 249999
Thibault Jacquet     1 2001-06-28 0 - .       0 0 189842
Ursula Weber         2 1968-10-19 0 - .       0 0 205517
Victor Perrin        1 1987-03-24 1 x CONFORT 1 1 756120
Wendy Collet         2 1981-12-30 1 x BASE    0 0 410001
Xavier Maurin        1 1975-07-07 1 x CONFORT 0 0 602795
Yasmine Cherif       2 1993-05-15 1 x BASE    0 1 400500
Zacharie Poulain     1 1998-02-22 1 - BASE    0 0 214486
Alice Grandjean      2 1995-09-11 1 - BASE    0 0 226650
Bruno Teissier       1 1970-06-04 1 - CONFORT 1 0 334125
Clara Hoarau         2 1992-08-20 1 - BASE    0 1 239999
Damien Lacombe       1 1986-01-31 1 - BASE    0 0 258333
Elsa Morvan          2 1989-04-26 1 - BASE    0 0 247601
Farid Mansouri       1 1982-11-23 1 - CONFORT 1 2 312447
Gabrielle Tissot     2 2000-12-14 1 - BASE    0 0 188005
Henri Kowalski       1 1966-03-03 1 - BASE    1 0 279380
Isabelle Renaud      2 1972-10-27 1 - BASE    0 0 268912
Jordan Lopes         1 1997-07-18 1 - BASE    0 0 219870
Karine Blondel       2 1984-09-29 1 - CONFORT 0 1 291006
Loïc Hervé           1 1990-05-08 1 - .       0 0 253412
Maëlle Cadiou        2 2003-01-19 1 - .       0 0 176350
"""
EXEMPT = {  # ground, until; the proof is on file at Alan
    "Thibault Jacquet": ("short_contract", "2026-06-30"), "Ursula Weber": ("other_collective", "2026-12-31"),
    "Loïc Hervé": ("other_collective", "2026-12-31"), "Maëlle Cadiou": ("c2s", "2026-10-31")}
WITHOUT_NIR = "Ibrahim Diallo"  # born abroad: declared under a temporary number
CORSICAN = "Gabrielle Tissot"
KEYS = ("payfit-sample-key-joinery-lyon", "payfit-sample-key-joinery-grenoble")


def health_terms():
    for population, base, comfort in (("CAD", 10420, 14260), ("NCA", 9860, 12845)):
        share = 700000 if population == "CAD" else 600000
        for option, price in (("BASE", base), ("CONFORT", comfort)):
            yield Term(option, population, "employee", price=price, share=share)
            yield Term(option, population, "partner", price=price, share=500000)
            yield Term(option, population, "child", price=5235, share=share)
        yield Term("CONFORT", population, "option", price=1275, share=0)


def provident_terms():
    yield Term(None, "CAD", category="executive", basis="t1", rate=15000, share=1000000)
    yield Term(None, "CAD", category="executive", basis="t2", rate=11300, share=500000)
    yield Term(None, "NCA", category="non_executive", basis="t1", rate=8100, share=600000)


def build():
    company = Company("menuiserie-des-alpes", "79056412", "Menuiserie des Alpes")
    sites = [company.site(nic, key) for nic, key in zip(("0002", "0003"), KEYS)]
    health = company.contract("health", "SANTE0000000002", health_terms())
    provident = company.contract("provident", "PREV0000000002", provident_terms())
    plans = [{(option, population): site.plan("health", health.reference, option, population)
              for population in ("CAD", "NCA") for option in ("BASE", "CONFORT")}
             | {population: site.plan("provident", provident.reference, None, population)
                for population in ("CAD", "NCA")} for site in sites]
    members = [settle(company, sites, plans, health, provident, row) for row in PEOPLE.strip().splitlines()]
    for month in MONTHS:
        bill_month(company, company.invoice(month), members, health, provident)
    late_child(company, members, health)
    new_hire(company, sites[1], plans[1])
    former_employee(company, sites[0])
    sites[0].administrator("Solène", "Direction")
    return company


def settle(company, sites, plans, health, provident, row):
    """Hires and affiliates one person of the table; what is billed for them later."""
    *name, sex, born, site, executive, formula, partners, children, gross = row.split()
    site, executive, population = int(site), executive == "x", "CAD" if executive == "x" else "NCA"
    name = " ".join(name)
    person = company.person(name, int(sex), born, "2A" if name == CORSICAN else "38" if site else "69")
    if person.name == WITHOUT_NIR:
        person.nir, person.ntt = None, f"1{company.siren}MDA0009"
    exempt = EXEMPT.get(person.name)
    hired = f"{2010 + person.number % 14}-{1 + person.number % 12:02d}-01"
    sites[site].hire(person, hired, health=None if exempt else plans[site][formula, population],
                     provident=plans[site][population], executive=executive, exempt=bool(exempt))
    if person.ntt:
        company.expect("nir_provisional", person, "born abroad, no number yet: both sides use the NTT")
    category = "executive" if executive else "non_executive"
    number = {"nir": person.ntt} if person.ntt else {}
    since = "2024-01-01"
    if exempt:
        ground, until = exempt
        company.join(person, health, since, None, population, category, status="exempt", exemption={
            "ground": ground, "valid_from": "2025-11-01", "valid_to": until,
            "proof": f"attestation-{person.number}.pdf"})
        covered = None
    else:
        covered = company.join(person, health, since, formula, population, category,
                               partners=int(partners), children=int(children), **number)
    insured = company.join(person, provident, since, None, population, category, **number)
    for month in MONTHS:
        company.pay(person, month, int(gross))
    return person, covered, insured


def bill_month(company, invoice, members, health, provident):
    bases = {(person.number, month): (t1, t2) for person, month, _, t1, t2 in company.bases}
    for person, covered, insured in members:
        if covered:
            company.bill_family(invoice, covered, health)
        t1, t2 = bases[person.number, invoice["billing_month"]]
        company.bill(invoice, insured, provident, basis="t1", base=t1)
        if t2 and insured["population_code"] == "CAD":
            company.bill(invoice, insured, provident, basis="t2", base=t2)


def late_child(company, members, health):
    """A birth of March told in April: the child's March cover is on the April invoice too."""
    person, covered, _ = next(member for member in members if member[0].name == "Clara Hoarau")
    covered["beneficiaries"]["children"] = 2
    child = {"member_type": "child", "beneficiary": f"{covered['member_id']}_child2"}
    april = company.alan["invoices"][-1]
    company.bill(april, covered, health, **child)
    company.bill(april, covered, health, **child, kind="adjustment", cover_from="2026-03-01", cover_to="2026-03-31")
    company.expect("retroactive_adjustment", person, "a second child born in March, told to Alan in April")


def new_hire(company, site, plans):
    person = company.person("Noémie Sabatier", 2, "1994-06-16", "38")
    site.hire(person, "2026-04-20", health=plans["BASE", "NCA"], provident=plans["NCA"])
    company.expect("pending_synchronisation", person, "hired a week ago, Alan does not know her yet")


def former_employee(company, site):
    site.hire(company.person("Philippe Gaudin", 1, "1963-02-07"), "2009-05-04", "2025-11-30", status="ARCHIVED")
