"""Company 1: seven people under one health contract split 60/40, nothing wrong. Their premiums are those of a public
demonstration DSN of April 2026: 186.90, five times 117.10 and 234.20; employer 603.96, employee 402.64."""
from world import MONTHS, Company, Term

PEOPLE = (  # name, sex, birth date, hired, left, partners, children
    ("Camille Martin", 2, "1978-05-14", "2012-09-03", None, 0, 1),
    ("Hugo Bertin", 1, "1990-11-02", "2017-02-01", None, 0, 0),
    ("Inès Caron", 2, "1986-07-23", "2019-06-17", None, 0, 0),
    ("Mathis Delorme", 1, "1995-01-30", "2021-03-08", "2026-04-24", 0, 0),  # pays the full month: proration none
    ("Zoé Fontaine", 2, "1999-10-09", "2023-10-02", None, 0, 0),
    ("Yanis Lefort", 1, "1982-03-19", "2015-04-13", None, 0, 0),
    ("Françoise Masson", 2, "1969-12-05", "2008-01-07", None, 1, 0),
)


def build():
    company = Company("boulangerie-martin", "84213907", "Boulangerie Martin et Fils")
    site = company.site("0001", "payfit-sample-key-bakery")
    health = company.contract("health", "SANTE0000000001", [
        Term("BASE", "ENS", "employee", price=11710), Term("BASE", "ENS", "partner", price=11710),
        Term("BASE", "ENS", "child", price=6980)])
    plan = site.plan("health", health.reference, "BASE", "ENS")
    affiliations = []
    for name, sex, born, hired, left, partners, children in PEOPLE:
        person = company.person(name, sex, born)
        site.hire(person, hired, left, health=plan)
        affiliations.append(company.join(person, health, max(hired, "2024-01-01"), "BASE", "ENS",
                                         until=left and "2026-04-30", partners=partners, children=children))
    site.administrator("Odile", "Comptable")
    for month in MONTHS:
        invoice = company.invoice(month)
        for affiliation in affiliations:
            company.bill_family(invoice, affiliation, health)
    return company
