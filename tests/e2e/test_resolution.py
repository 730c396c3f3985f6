"""The inbox is enough to put things right: for every discrepancy of the sample's third company, its remedy is followed
as a payroll manager would, at Alan, in payroll, in the spreadsheet or by the inbox's own call; the next night must
resolve it."""
import unittest

from harness import Pipeline

KELLER = "transports-keller"
AS_OF = "2026-04-27T06:00:00Z"
AFTER_THE_INVOICE = "2026-04-26T08:00:00Z"
REMEDIES = {}


def resolves(code, name=None):
    """A remedy: of one code, of one person where several have it."""
    def register(function):
        REMEDIES[code, name] = function
        return function
    return register


class World:
    """What the payroll manager can reach, as it stands now."""

    def __init__(self, pipeline):
        self.pipeline = pipeline
        self.company, = (company for company in pipeline.companies if company.id == KELLER)
        self.site, = self.company.sites

    def person(self, name):
        person, = (person for person in self.company.people if person.name == name)
        return person

    def alan(self, change):
        self.pipeline.edit(f"alan/{self.company.alan_id}.json", change)

    def payroll(self, change):
        self.pipeline.edit(f"payfit/{self.site.id}.json", change)

    def affiliation(self, name, **fields):
        """Changes somebody's affiliation at Alan after the invoice."""
        member_id = self.person(name).member_id

        def change(alan):
            for affiliation in alan["affiliations"]:
                if affiliation["member_id"] == member_id:
                    affiliation.update(fields, updated_at=AFTER_THE_INVOICE)
        self.alan(change)

    def collaborator(self, name, **fields):
        employee_id = self.person(name).employee_id

        def change(payroll):
            for collaborator in payroll["collaborators"]:
                if collaborator["id"] == employee_id:
                    collaborator.update(fields)
        self.payroll(change)

    def assign(self, name, option="BASE"):
        """Affects a health contract to somebody in payroll."""
        employment_id = self.person(name).employment_id

        def change(payroll):
            plan = next(plan for plan in payroll["health-insurance-contracts"] if plan["codeOption"] == option)
            plan["affiliatedContractIds"].append(employment_id)
            for employment in payroll["contracts"]:
                if employment["contractId"] == employment_id:
                    employment["healthInsuranceContractIds"] = [plan["idContrat"]]
        self.payroll(change)

    def join(self, name, since):
        """Alan affiliates somebody whom it did not know."""
        person = self.person(name)

        def change(alan):
            model = next(a for a in alan["affiliations"] if a["status"] == "active" and a["option_code"] == "BASE")
            alan["affiliations"].append({
                **model, "id": f"aff_{person.employee_id}", "member_id": f"mbr_{person.employee_id}", "nir": person.nir,
                "first_name": person.first_name, "last_name": person.last_name, "birth_name": person.birth_name,
                "birth_date": person.birth_date, "starts_on": since, "updated_at": AFTER_THE_INVOICE})
        self.alan(change)

    def credit(self, line_id, amount_cents=None):
        """Alan credits a line, wholly or in part, on a credit note of its own."""
        def change(alan):
            line = next(line for line in alan["invoice_lines"] if line["id"] == line_id)
            invoice = next(invoice for invoice in alan["invoices"] if invoice["id"] == line["invoice_id"])
            amount = -line["amount_cents"] if amount_cents is None else amount_cents
            note = {**invoice, "id": f"crn_{line_id}", "number": f"AV-{line_id}", "type": "credit_note",
                    "issued_on": "2026-04-26", "total_cents": amount, "line_count": 1}
            alan["invoices"].append(note)
            alan["invoice_lines"].append({**line, "id": f"cr_{line_id}", "invoice_id": note["id"], "kind": "adjustment",
                                          "adjusts_line_id": line_id, "amount_cents": amount})
        self.alan(change)

    def line(self, name):
        """Somebody's own line on the April invoice, the last one where there are several."""
        member_id = self.person(name).member_id
        return [line["id"] for line in self.company.alan["invoice_lines"]
                if line["member_id"] == member_id and line["cover_from"] >= "2026-04"][-1]

    def call(self, row, **words):
        """Runs the inbox's call with a value in place of each <word>."""
        sql = row["call"]
        for word, value in words.items():
            assert f"<{word}>" in sql, sql
            sql = sql.replace(f"<{word}>", value)
        self.pipeline.psql("SET ROLE payroll_manager; " + sql)


# ---- step 1: identity ----

@resolves("member_not_in_payroll")
def link_the_candidate(world, row):
    world.call(row)


@resolves("employee_not_at_insurer", "Nadège Ferrand")
def the_link_did_it(world, row):
    """One cause: who is linked is at Alan."""


@resolves("employee_not_at_insurer", "Lucie Perret")
def invite_to_join(world, row):
    world.join("Lucie Perret", "2026-04-01")


@resolves("nir_mismatch")
def correct_the_number_at_alan(world, row):
    """Everywhere: an invoice that still carries another number stays a contradiction."""
    karim = world.person("Karim Benali")
    world.affiliation(karim.name, nir=karim.nir)
    world.alan(lambda alan: [line.update(nir=karim.nir) for line in alan["invoice_lines"]
                             if line["member_id"] == karim.member_id])


@resolves("nir_missing")
def complete_the_record(world, row):
    world.collaborator("Enzo Vidal", socialSecurityNumber=world.person("Enzo Vidal").nir)


@resolves("nir_invalid")
def correct_the_key(world, row):
    world.affiliation("Sandrine Hamon", nir=world.person("Sandrine Hamon").nir)


@resolves("nir_provisional")
def enter_the_final_number(world, row):
    anna = world.person("Anna Kovacs")
    world.collaborator("Anna Kovacs", socialSecurityNumber=anna.nir, temporaryTechnicalNumber=None)
    world.affiliation("Anna Kovacs", nir=anna.nir)


@resolves("nir_duplicate")
def merge_the_two_files(world, row):
    def change(payroll):
        first, second = (c for c in payroll["collaborators"] if c["lastName"] == "Girard")
        payroll["collaborators"].remove(second)
        first["contracts"] += second["contracts"]
        for employment in payroll["contracts"]:
            if employment["collaboratorId"] == second["id"]:
                employment["collaboratorId"] = first["id"]
    world.payroll(change)


@resolves("nir_birth_mismatch")
def correct_the_birth_date(world, row):
    world.collaborator("Mireille Schmitt", birthDate=world.person("Mireille Schmitt").birth_date)


# ---- step 2: synchronisation ----

@resolves("stale_synchronisation")
def synchronise_again(world, row):
    world.alan(lambda alan: alan.update(as_of="2026-04-27T04:00:00Z"))


@resolves("pending_synchronisation")
def it_arrives(world, row):
    world.join("Enzo Vidal", "2026-04-20")


@resolves("recent_change")
def the_next_invoice_settles_it(world, row):
    world.credit(world.line("Patrick Wagner"), row["expected_cents"] - row["actual_cents"])


# ---- step 3: assignment ----

@resolves("no_contract_assigned")
def record_a_dispense(world, row):
    world.call(row, ground="individual", proof="contrat-romain.pdf")


@resolves("assigned_not_affiliated")
def affiliate_again(world, row):
    world.affiliation("Valérie Muller", status="active", ends_on=None)


@resolves("affiliated_not_assigned")
def assign_in_payroll(world, row):
    world.assign("Didier Antoine")


@resolves("exempt_but_billed")
def credit_the_exempt(world, row):
    world.credit(world.line("Samia Toumi"))


@resolves("exempt_but_affiliated")
def end_the_affiliation(world, row):
    world.affiliation("Gilles Hoffmann", status="ended", ends_on="2026-03-31")


@resolves("dispense_expired")
def renew_the_dispense(world, row):
    world.call(row, proof="attestation-laura-2.pdf")


@resolves("dispense_unproven", "Gilles Hoffmann")
def record_with_ground_and_proof(world, row):
    world.call(row, ground="other_collective", proof="attestation-gilles.pdf")


@resolves("dispense_unproven", "Kévin Roth")
def record_with_proof(world, row):
    world.call(row, proof="attestation-kevin.pdf")


# ---- invoices and contracts ----

@resolves("billed_before_entry")
def credit_before_entry(world, row):
    world.credit(world.line("Amélie Simon"))


@resolves("billed_after_exit")
def credit_after_exit(world, row):
    world.credit(world.line("Serge Lambert"))


@resolves("portability_billed")
def credit_portability(world, row):
    world.credit(world.line("Inès Morel"))


@resolves("duplicate_line")
def credit_the_duplicate(world, row):
    world.credit(world.line("Boris Lang"))


@resolves("retroactive_adjustment")
def it_is_known(world, row):
    world.call(row, why="hired on 9 March, told to Alan in April")


@resolves("price_mismatch")
def credit_the_difference(world, row):
    world.credit(world.line("Odile Fischer"), row["expected_cents"] - row["actual_cents"])


@resolves("employer_share_below_minimum")
def raise_the_share(world, row):
    def change(alan):
        for contract in alan["contracts"]:
            for term in contract["terms"]:
                if term["option_code"] == "ECO":
                    term["employer_share_ppm"] = 500000
    world.alan(change)


@resolves("split_rule_missing")
def complete_the_contract(world, row):
    def change(alan):
        contract = next(contract for contract in alan["contracts"] if contract["reference"] == row["contract"])
        contract["terms"].append({**contract["terms"][0], "option_code": "SURCO", "price_cents": 2150,
                                  "employer_share_ppm": 500000})
    world.alan(change)


@resolves("base_missing")
def provide_the_base(world, row):
    path = world.pipeline.path / "data" / "imports" / KELLER / "bases-2026-04.csv"
    text = path.read_bytes() + f"{row['employment_id']};Élise Vogel;2026-04;2400,00;2400,00;0,00\r\n".encode("cp1252")
    path.write_bytes(text)


@resolves("contract_superseded")
def delete_the_contract(world, row):
    def change(payroll):
        payroll["health-insurance-contracts"] = [plan for plan in payroll["health-insurance-contracts"]
                                                 if plan["refContrat"] != row["contract"]]
    world.payroll(change)


@resolves("contract_unknown")
def alan_sends_the_contract(world, row):
    def change(alan):
        model = next(contract for contract in alan["contracts"] if contract["product"] == "health")
        alan["contracts"].append({**model, "id": row["contract_id"], "reference": "SANTE0000000099"})
        for line in alan["invoice_lines"]:
            if line["contract_id"] == row["contract_id"]:
                of = next(a for a in alan["affiliations"] if a["member_id"] == line["member_id"])
                alan["affiliations"].append({**of, "id": of["id"] + "_99", "contract_id": row["contract_id"]})
    world.alan(change)


@resolves("invoice_total_mismatch")
def correct_the_total(world, row):
    invoice(world, row, total_cents=row["actual_cents"])


@resolves("line_count_mismatch")
def the_missing_line_arrives(world, row):
    def change(alan):
        line = next(line for line in alan["invoice_lines"] if line["invoice_id"] == row["invoice_id"])
        alan["invoice_lines"].append({**line, "id": line["id"] + "_newborn", "kind": "adjustment", "amount_cents": 0})
    world.alan(change)


@resolves("siren_mismatch")
def alan_learns_of_the_siren(world, row):
    invoice(world, row, siren=world.company.siren)


def invoice(world, row, **fields):
    def change(alan):
        next(invoice for invoice in alan["invoices"] if invoice["id"] == row["invoice_id"]).update(fields)
    world.alan(change)


class Resolution(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.pipeline = Pipeline()
        self.addCleanup(self.pipeline.close)
        self.world = World(self.pipeline)
        self.night()

    def night(self):
        self.pipeline.must("extract", "--as-of", AS_OF, "--company", KELLER)
        self.pipeline.must("transform")
        self.pipeline.must("load")

    def inbox(self):
        return {row["id"]: row for row in self.pipeline.query(
            f"SELECT * FROM report.discrepancy_inbox WHERE company_id = '{KELLER}' ORDER BY id")}

    def remedy(self, row):
        named = [name for code, name in REMEDIES if code == row["code"] and name and name in (row["employee"] or "")]
        return REMEDIES[row["code"], named[0] if named else None]

    def test_every_remedy_resolves_what_it_is_for(self):
        first = self.inbox()
        for row in first.values():
            self.remedy(row)  # every one has a remedy
        order = list(REMEDIES.values())
        for row in sorted(first.values(), key=lambda row: order.index(self.remedy(row))):
            with self.subTest(code=row["code"], who=row["employee"]):
                before = self.inbox()
                if row["id"] not in before:
                    continue
                self.remedy(row)(self.world, row)
                self.night()
                after = self.inbox()
                self.assertNotIn(row["id"], list(after), after.get(row["id"], {}).get("remedy_en"))
                self.assertEqual([x["title_en"] for x in after.values() if x["id"] not in before], [])
        self.assertEqual([x["title_en"] for x in self.inbox().values()], [])
        self.assertEqual(self.pipeline.query(f"""
            SELECT sum(held_cents) AS held, sum(difference_cents) AS difference FROM report.invoice_control
            WHERE company_id = '{KELLER}'"""), [{"held": 0, "difference": 0}])

    def test_the_inbox_tells_what_the_three_steps_need(self):
        for row in self.inbox().values():
            with self.subTest(code=row["code"], who=row["employee"]):
                self.assertIsNotNone(row["alan_synced_at"])
                self.assertIsNotNone(row["payroll_synced_at"])
                if row["employee"]:
                    self.assertIsNotNone(row["alan_affiliation"])
                    self.assertIsNotNone(row["payroll_assignment"])
                    self.assertIsNotNone(row["dispense"])
                if row["code"] == "nir_mismatch":
                    self.assertEqual((len(row["alan_nir"]), len(row["payroll_nir"])), (15, 15))


if __name__ == "__main__":
    unittest.main()
