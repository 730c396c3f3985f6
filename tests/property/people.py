"""Who is who, and who is covered or exempt, reckoned apart from the product from transform/RULES.md."""
import collections
import re
import unicodedata

from calendars import day_after, first_day, last_day, overlap

LATEST = "9999-12-31"
STANDING = ("active", "suspended", "pending", "portability", "exempt", "ended")


def nir13(text):
    """The 13 characters of a number that identifies, or None. A key that is wrong does not matter."""
    body = re.sub("[ .\u00a0\u202f-]", "", text or "").upper()
    if not re.fullmatch(r"[12]\d{4}(\d\d|2[AB])\d{6}(\d\d)?", body):
        return None
    month, place = int(body[3:5]), body[5:7]
    if not (1 <= month <= 12 or month == 20 or 30 <= month <= 42 or month >= 50):
        return None
    if place == "00" or "000" in (body[7:10], body[10:13]) or body[:13].endswith("999999"):
        return None
    return body[:13]


def ntt(text):
    """The text of a number that may stand in for a provisional one."""
    body = re.sub("[ .\u00a0\u202f-]", "", text or "").upper()
    return body if 11 <= len(body) <= 40 else None


def folded(name):
    plain = unicodedata.normalize("NFD", (name or "").lower().replace("œ", "oe"))
    return "".join(c for c in plain if c.isalnum())


class People:
    """records: the company's by entity; lines: those of its invoice lines that can be used."""

    def __init__(self, records, lines):
        self.records, self.lines = records, lines
        self.employees = {x["employee_id"]: x for x in records.get("employees", [])}
        self.jobs = collections.defaultdict(list)
        for job in sorted(records.get("employments", []), key=lambda x: (x["starts_on"], x["employment_id"])):
            self.jobs[job["employee_id"]].append(job)
        self.job = {x["employment_id"]: x for x in records.get("employments", [])}
        self.affiliations = collections.defaultdict(list)
        for x in records.get("affiliations", []):
            self.affiliations[x["member_id"]].append(x)
        self.members()
        self.match()

    # ---- who is who ----

    def members(self):
        """Every number and name that Alan gives for a member, on affiliations and lines."""
        self.said = {x["member_id"]: [] for x in self.records.get("invoice_lines", []) if x.get("member_id")}
        self.names = {}
        for x in self.records.get("affiliations", []) + self.lines:
            if x.get("member_id"):
                self.said.setdefault(x["member_id"], []).append(x.get("nir"))
                if x.get("last_name"):
                    self.names[x["member_id"]] = x
        self.numbers = {m: {nir13(x) for x in said} - {None} for m, said in self.said.items()}
        self.stand_ins = {m: {ntt(x) for x in said} - {None} for m, said in self.said.items()}

    def match(self):
        by_number, by_ntt, bearers, bearers_of_ntt = (collections.defaultdict(list) for _ in range(4))
        for employee_id, x in self.employees.items():
            by_number[nir13(x.get("nir"))].append(employee_id)
            by_ntt[ntt(x.get("ntt"))].append(employee_id)
        for member, numbers in self.numbers.items():
            for number in numbers:
                bearers[number].append(member)
            for text in self.stand_ins[member]:
                bearers_of_ntt[text].append(member)
        links = {x["member_id"]: x["employee_id"] for x in self.records.get("links", [])}
        self.employee_of, self.matched_by, self.hold, shared = {}, {}, {}, set()
        for member, numbers in self.numbers.items():
            number = next(iter(numbers)) if len(numbers) == 1 else None
            if number and len(by_number[number]) == 1 and len(bearers[number]) == 1:
                self.settle(member, by_number[number][0], "nir")
            elif number and (len(by_number[number]) > 1 or len(bearers[number]) > 1):
                shared.add(member)
        for member in self.numbers:
            known = [text for text in self.stand_ins[member] if by_ntt[text]]
            if member not in self.employee_of and len(self.numbers[member]) < 2 and len(known) == 1 \
                    and len(by_ntt[known[0]]) == len(bearers_of_ntt[known[0]]) == 1:
                self.settle(member, by_ntt[known[0]][0], "ntt")
        for member in self.numbers:
            if member not in self.employee_of and links.get(member) in self.employees:
                self.settle(member, links[member], "link")
        free = [x for x in self.employees if self.jobs[x] and x not in set(self.employee_of.values())]
        for member in self.numbers:
            if member not in self.employee_of:
                self.hold[member] = self.why_not(member, member in shared, free)

    def settle(self, member, employee_id, how):
        self.employee_of[member], self.matched_by[member] = employee_id, how

    def why_not(self, member, shared, free):
        if len(self.numbers[member]) > 1:
            return "nir_mismatch"
        if shared:
            return "nir_duplicate"
        twins = [x for x in free if self.twin(self.names.get(member), self.employees[x])]
        if len(twins) == 1 and self.numbers[member] and nir13(self.employees[twins[0]].get("nir")):
            return "nir_mismatch"
        return "member_not_in_payroll"

    @staticmethod
    def twin(a, b):
        if not a or not a.get("birth_date") or a["birth_date"] != b.get("birth_date"):
            return False
        last_names = [{folded(x.get("last_name")), folded(x.get("birth_name"))} - {""} for x in (a, b)]
        return folded(a.get("first_name")) == folded(b.get("first_name")) and bool(last_names[0] & last_names[1])

    # ---- cover ----

    def exempt(self, job, first, last):
        """Whether somebody is exempt from health cover on all these days, by whatever says so."""
        if job.get("exempt"):
            return True
        spans = [(x["valid_from"], x.get("valid_to") or LATEST) for x in self.records.get("dispenses", [])
                 if x["employee_id"] == job["employee_id"]]
        for member, employee_id in self.employee_of.items():
            if employee_id == job["employee_id"]:
                spans += [(x.get("exemption_from") or x["starts_on"],
                           x.get("exemption_to") or x.get("ends_on") or LATEST)
                          for x in self.affiliations[member] if x["status"] == "exempt"]
        for start, end in sorted(spans):
            if start <= first <= end:
                first = day_after(end)
        return first > last

    def standing(self, member, contract_id, first, last):
        """The status of the affiliation that counts most on these days, or None."""
        found = [x["status"] for x in self.affiliations[member] if x["contract_id"] == contract_id
                 and overlap(x["starts_on"], x.get("ends_on"), first, last)]
        return min(found, key=STANDING.index, default=None)

    def assigned(self, job, contract):
        """Whether payroll has given this contract to an employment."""
        for x in self.records.get("payroll_contracts", []):
            if (x["product"], x["reference"]) == (contract["product"], contract["reference"]):
                if x["payroll_contract_id"] in job[contract["product"] + "_contract_ids"] \
                        or job["employment_id"] in x["employment_ids"]:
                    return True
        return False

    def employment_for(self, employee_id, contract, first, last):
        """The employment that carries these days of one month, and the code of what keeps it from doing so."""
        every, month = self.jobs[employee_id], first[:7]
        running = [x for x in every if overlap(x["starts_on"], x.get("ends_on"), first_day(month), last_day(month))]
        if not every:
            return None, "billed_before_entry"
        if not running:
            before = [x for x in every if x["starts_on"] <= last]
            return (before[-1], "billed_after_exit") if before else (every[0], "billed_before_entry")
        job = max(running, key=lambda x: (self.assigned(x, contract),
                                          overlap(x["starts_on"], x.get("ends_on"), first, first)))
        if contract["proration"] != "none":
            if first < min(x["starts_on"] for x in every):
                return job, "billed_before_entry"
            if last > max(x.get("ends_on") or LATEST for x in every):
                return job, "billed_after_exit"
        return job, None
