"""What changes at Alan, in payroll and by the payroll manager's hand from night to night, over six payroll months."""
import dataclasses
from fractions import Fraction

from months_world import FORMER_SIREN, NEW_SIREN, OFFICE, OFFICE_PRICE, RAISE, RAISED, REPLACED

from world import Term, month_first, month_last, round_half_up, with_luhn

NIGHTS = []
CLOSED_BY_PAYROLL = {"2026-05-29": (OFFICE, "2026-05")}   # before that night


def night(on, *periods):
    """Registers what happened before the night of a day; periods: the payroll months that run, else that of the day."""
    def register(change):
        NIGHTS.append((on, periods or (on[:7],), change))
        return change
    return register


def leave(company, name, on):
    """Somebody's departure arrives in payroll."""
    person = company.person(name)
    for contract in company.site.data["contracts"] + [
            contract for x in company.site.data["collaborators"] for contract in x["contracts"]]:
        if person.employment_id in (contract.get("contractId"), contract.get("id")):
            contract.update(endDate=on, status="ARCHIVED")


# ---- January: somebody whom payroll does not know, a link that is wrong ----

@night("2026-01-12")
def before_the_first_invoice(w):
    pass


@night("2026-01-26")
def january_invoices(w):
    w.glassworks.hire(w.glassworks.late["Chloé Costa"], "2026-01-19")
    w.glassworks.bill("2026-01")
    w.office.pay("2026-01")
    w.office.bill_health("2026-01")
    w.office.bill_provident("2026-01")


@night("2026-01-29")
def the_wrong_link(w):
    w.calls.append(w.glassworks.link("Jules Kermorvan", "Inès Jourdan"))


# ---- February: a member without number, a provident invoice that does not come ----

@night("2026-02-12")
def a_member_without_number(w):
    imbert = w.glassworks.late["Hugo Imbert"]
    w.glassworks.hire(imbert, "2026-02-02")
    w.glassworks.join(imbert, "2026-02-01", nir=None)


@night("2026-02-26")
def february_invoices(w):
    w.glassworks.bill("2026-02")
    w.office.pay("2026-02")
    w.office.bill_health("2026-02")


# ---- March: late hires, a late invoice, both links, somebody exempt who is billed ----

@night("2026-03-10", "2026-02", "2026-03")
def late_hires_and_a_late_invoice(w):
    w.calls.append(w.glassworks.link("Hugo Imbert", "Hugo Imbert"))
    w.glassworks.hire(w.glassworks.late["Denis Duval"], "2026-01-05")
    w.office.hire(w.office.sarr, "2026-02-16")
    w.office.bill_provident("2026-02", issued_on="2026-03-09")


@night("2026-03-17")
def the_link_is_corrected(w):
    w.calls.append(w.glassworks.link("Jules Kermorvan", None))
    w.calls.append(w.glassworks.link("Jules Kermorvan", "Jules Kermorvan"))
    w.office.pay("2026-02", "Salif Sarr")


@night("2026-03-26")
def march_invoices(w):
    glassworks, office = w.glassworks, w.office
    former = glassworks.members["Léa Marchal"]
    former.update(ends_on="2026-02-28")
    invoice = glassworks.bill("2026-03")
    glassworks.company.join(glassworks.person("Léa Marchal"), glassworks.contract, "2026-03-01", None, "ENS",
                            status="exempt", exemption={"ground": "other_collective", "valid_from": "2026-03-01",
                                                        "valid_to": "2027-02-28", "proof": "attestation.pdf"})
    former.update(status="ended")
    glassworks.join(glassworks.late["Chloé Costa"], "2026-01-19")
    for month in ("2026-01", "2026-02"):
        glassworks.adjust(invoice, "Chloé Costa", month)
    glassworks.company.bill(invoice, glassworks.members["Chloé Costa"], glassworks.contract)
    office.pay("2026-03", *office.gross)
    office.bill_health("2026-03")
    office.bill_provident("2026-03")


# ---- April: a late departure, a new SIREN and employment, an invoice made anew, a price raised backwards ----

@night("2026-04-09")
def departure_siren_and_employment(w):
    leave(w.glassworks, "Emma Faure", "2026-02-15")
    leave(w.glassworks, "Farid Gallo", "2026-03-20")
    w.office.company.siren = NEW_SIREN
    w.office.site.siret = with_luhn(NEW_SIREN + "0001")
    w.office.site.data["company"].update(siren=NEW_SIREN, siret=w.office.site.siret)
    employed_anew(w.office)
    invoice_made_anew(w.office)


def employed_anew(office):
    """A contract that replaces the former one from March; payroll gives it another id, and moves the pay to it."""
    former = office.person("Quentin Quéré")
    new = dataclasses.replace(former)
    leave(office, former.name, "2026-02-28")
    office.hire(new, "2026-03-01")
    collaborator = office.site.data["collaborators"].pop()
    employment = office.site.data["contracts"][-1]
    new.employee_id = employment["collaboratorId"] = former.employee_id
    next(x for x in office.site.data["collaborators"] if x["id"] == former.employee_id)["contracts"] += \
        collaborator["contracts"]
    office.company.people[office.company.people.index(former)] = new
    office.company.bases = [(new if person is former and month >= "2026-03" else person, month, *pay)
                            for person, month, *pay in office.company.bases]


def invoice_made_anew(office):
    """March's health invoice is cancelled for another one, on which a price is a gesture lower."""
    next(x for x in office.company.alan["invoices"] if x["id"].endswith("2026-03")).update(status="cancelled")
    invoice = office.bill_health("2026-03", suffix="R", without=["Noémie Naudin"], issued_on="2026-04-08")
    office.company.bill(invoice, office.members["Noémie Naudin"], office.contract, amount_cents=OFFICE_PRICE - 100)
    sum_up(office, invoice)


@night("2026-04-26")
def april_invoices(w):
    glassworks, office = w.glassworks, w.office
    billed_before = {month: [name for name, x in glassworks.members.items() if x["option_code"] == "BASE"
                             and x["starts_on"] <= month_last(month)
                             and (x["ends_on"] is None or x["ends_on"] >= month_first(month))]
                     for month in ("2026-02", "2026-03")}
    terms = glassworks.company.alan["contracts"][0]["terms"]
    terms.append({**terms[0], "valid_from": "2026-02-01", "price_cents": RAISED})
    terms[0]["valid_to"] = "2026-01-31"
    glassworks.company.alan["contracts"][0]["updated_at"] = "2026-04-20T08:00:00Z"
    glassworks.contract.terms[0].price = RAISED
    invoice = glassworks.bill("2026-04")
    for month, names in billed_before.items():
        for name in names:
            glassworks.adjust(invoice, name, month, RAISE)
    former = glassworks.members["Farid Gallo"]
    former.update(ends_on="2026-03-31")
    glassworks.company.join(glassworks.person("Farid Gallo"), glassworks.contract, "2026-04-01", "BASE", "ENS",
                            status="portability", until="2027-03-31")
    credit_note(glassworks, "2026-04", glassworks.line("Léa Marchal", "2026-03"),
                *(glassworks.line("Gaëlle Hubert", month, "option") for month in ("2026-02", "2026-03")))
    office.pay("2026-04", *office.gross)
    office.bill_health("2026-04")   # still in the name of the former SIREN
    office.company.alan["invoices"][-1]["siren"] = FORMER_SIREN
    office.bill_provident("2026-04")


def credit_note(side, month, *lines):
    """Credits lines to the cent, on a note of its own."""
    note = side.company.invoice(month, suffix="A", type="credit_note")
    for number, line in enumerate(lines, 1):
        side.company.alan["invoice_lines"].append({
            **line, "id": f"{note['id']}_{number:03d}", "invoice_id": note["id"], "kind": "adjustment",
            "adjusts_line_id": line["id"], "amount_cents": -line["amount_cents"]})
    sum_up(side, note)


@night("2026-04-28")
def alan_learns_of_the_siren(w):
    for invoice in w.office.company.alan["invoices"]:
        if invoice["billing_month"] == "2026-04":
            invoice["siren"] = NEW_SIREN
    for contract in w.office.company.alan["contracts"]:
        contract["siren"] = NEW_SIREN


# ---- May: April is closed late, a share raised backwards, another contract, a month closed by payroll ----

@night("2026-05-02", "2026-05", "2026-04")
def april_of_the_glassworks_is_open_still(w):
    pass


@night("2026-05-12")
def share_and_pay_changed_backwards(w):
    contract, term = w.office.company.alan["contracts"][0], w.office.contract.terms[0]
    contract["terms"].append({**contract["terms"][0], "valid_from": "2026-03-01", "employer_share_ppm": 600000})
    contract["terms"][0]["valid_to"] = "2026-02-28"
    contract["updated_at"] = "2026-05-11T08:00:00Z"
    term.share = 600000
    pay_corrected(w.office, "Rosa Rossi", "2026-04", 30000)


def pay_corrected(office, name, month, cents):
    """Changes what everybody has of the month's line for the whole company."""
    before = next(base for base in office.company.bases if base[0].name == name and base[1] == month)
    office.company.bases.remove(before)
    office.company.pay(before[0], month, before[2] + cents)


@night("2026-05-26")
def another_contract_since_april(w):
    """The lines come before the contract itself."""
    glassworks, office = w.glassworks, w.office
    april = [line for line in glassworks.company.alan["invoice_lines"]
             if line["invoice_id"].endswith("2026-04") and line["cover_from"] == "2026-04-01"]
    march = [glassworks.line("Emma Faure", "2026-03"), glassworks.line("Emma Faure", "2026-03", billed="2026-04")]
    credit_note(glassworks, "2026-05", *april, *march)
    for name, until in (("Emma Faure", "2026-02-28"), ("Farid Gallo", None)):
        glassworks.members[name].update(status="ended", ends_on=until or glassworks.members[name]["ends_on"])
    glassworks.contract = glassworks.company.contract("health", "SANTE00000000A2", [
        Term("BASE", "ENS", price=REPLACED), Term("BASE", "ENS", "partner", price=REPLACED, share=500000),
        Term("BASE", "ENS", "child", price=7105), Term("CONFORT", "ENS", price=15900),
        Term("CONFORT", "ENS", "option", price=1275, share=0)], valid_from="2026-04-01",
        updated_at="2026-05-25T08:00:00Z")
    w.hidden = glassworks.company.alan["contracts"].pop()
    for name, affiliation in list(glassworks.members.items()):
        if affiliation["status"] == "active":
            affiliation.update(ends_on="2026-03-31", status="ended")
            glassworks.join(glassworks.person(name), "2026-04-01", affiliation["option_code"],
                            partners=affiliation["beneficiaries"]["partners"],
                            children=affiliation["beneficiaries"]["children"],
                            **{key: affiliation[key] for key in ("nir", "last_name")})
    invoice = glassworks.bill("2026-05")
    for line in [line for line in glassworks.company.alan["invoice_lines"] if line["invoice_id"] == invoice["id"]]:
        glassworks.company.alan["invoice_lines"].append({
            **line, "id": line["id"] + "_april", "kind": "adjustment", "cover_from": "2026-04-01",
            "cover_to": "2026-04-30"})
    sum_up(glassworks, invoice)
    leave(office, "Théo Tanguy", "2026-05-12")
    office.pay("2026-05", *office.gross)
    office.bill_health("2026-05")
    office.bill_provident("2026-05")


def sum_up(side, invoice):
    amounts = [line["amount_cents"] for line in side.company.alan["invoice_lines"]
               if line["invoice_id"] == invoice["id"]]
    invoice.update(total_cents=sum(amounts), line_count=len(amounts))


@night("2026-05-29")
def the_contract_comes_and_payroll_closes(w):
    glassworks = w.glassworks
    glassworks.company.alan["contracts"].append(w.hidden)
    glassworks.company.alan["contracts"][0].update(valid_to="2026-03-31", status="terminated")
    for plan in glassworks.plans.values():
        new = glassworks.site.plan("health", glassworks.contract.reference, plan["codeOption"], "ENS")
        new["affiliatedContractIds"] += plan["affiliatedContractIds"]
    w.office.site.data["payroll_status"]["202605"] = {"status": "completed", "executionEndDate": "2026-05-28T16:00:00Z"}


# ---- June: what payroll closed is put right, a line that cannot be read ----

@night("2026-06-09")
def june_begins(w):
    pass


@night("2026-06-26")
def june_invoices(w):
    glassworks, office = w.glassworks, w.office
    glassworks.bill("2026-06")
    office.pay("2026-06", *(name for name in office.gross if name != "Théo Tanguy"))
    invoice = office.bill_health("2026-06", without=["Théo Tanguy"])
    office.bill_provident("2026-06")
    tanguy = office.members["Théo Tanguy"]
    may = next(line for line in office.company.alan["invoice_lines"] if line["invoice_id"].endswith("_2026-05")
               and line["member_id"] == tanguy["member_id"])
    credit_note(office, "2026-06", may)
    office.company.bill(invoice, tanguy, office.contract, kind="adjustment", cover_from="2026-05-01",
                        cover_to="2026-05-12", amount_cents=round_half_up(Fraction(OFFICE_PRICE * 12, 31)))
    tanguy.update(status="ended", ends_on="2026-05-12")
    w.broken = next(line for line in office.company.alan["invoice_lines"] if line["invoice_id"] == invoice["id"])
    w.unbroken = w.broken["amount_cents"]
    w.broken["amount_cents"] = "98,77 EUR"
    w.rejects = 1


@night("2026-06-29")
def the_line_can_be_read(w):
    w.broken["amount_cents"] = w.unbroken
    w.rejects = 0
