"""Turns a generated extract output into what the two vendors would have answered: one file per page, named as it is
asked for, for a server that hands out files. Beside them the CSV files of pay bases, the configuration that reads all
of it, and the same list for curl."""
import csv
import json
import pathlib

ALAN_PAGE, PAYFIT_PAGE = 500, 50
PAYROLL_TOKEN = "bench-key"
COMPANIES_HEAD = ("company_id", "siren", "headcount", "alan_company_id", "siret", "payroll_company_id", "payroll_token")
CONFIG = """version: 1
staging: { dir: "%(to)s/staging" }
database: { url: "${DATABASE_URL:-}" }
sources:
  alan: { use: alan, base_url: "%(url)s/alan", auth: { kind: bearer, token: bench } }
  payroll: { use: payfit, base_url: "%(url)s/payfit", auth: { kind: bearer, token: "{payroll_token}" },
             requests_per_second: 100000 }
  bases: { use: csv, entity: pay_bases, path: "%(to)s/imports/{company_id}/bases-{month}.csv", optional: true }
companies_file: "%(to)s/companies.csv"
"""


def euros(cents):
    return f"{cents // 100},{cents % 100:02}"


class Pages:
    """Writes pages and notes the URL of each."""

    def __init__(self, to, url):
        self.to, self.url = pathlib.Path(to), url
        self.asked = []

    def put(self, path, args, body):
        query = "&".join(f"{name}={value}" for name, value in args)
        file = self.to / "pages" / f"{path}@{query}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(body, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
        self.asked.append(f"{self.url}/{path}" + (f"?{query}" if query else ""))

    def put_list(self, path, args, size, records, shape):
        """shape = (size's name, cursor's name, body made of (records, next cursor, how many in all))"""
        size_name, cursor_name, body = shape
        args = [*args, (size_name, size)]
        for start in range(0, max(len(records), 1), size):
            following = f"at{start + size}" if start + size < len(records) else None
            cursor = [(cursor_name, f"at{start}")] if start else []
            self.put(path, args + cursor, body(records[start:start + size], following, len(records)))

    def put_file(self, path, rows):
        file = self.to / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(file, "w", encoding="utf-8", newline="") as out:
            csv.writer(out, delimiter=";").writerows(rows)
        self.asked.append(f"file://{file}")


def company_records(folder):
    """(company, {entity: records}) of a stage's output, one company after the other."""
    files = {}
    with open(folder / "companies.ndjson", encoding="utf-8") as index:
        for line in index:
            company = json.loads(line)
            records = {}
            for part in company["ranges"]:
                name = f"{part['entity']}-{company['part']:04}.ndjson"
                if name not in files:
                    files[name] = open(folder / name, "rb")
                files[name].seek(part["offset"])
                records[part["entity"]] = [json.loads(row) for row in files[name].read(part["bytes"]).splitlines()]
            yield company, records
    for file in files.values():
        file.close()


# ---- Alan ----

def renamed(record, **names):
    return {names.get(key, key): value for key, value in record.items() if key != "company_id"}


def affiliation(record):
    out = renamed(record, affiliation_id="id")
    out["beneficiaries"] = {name: out.pop(name) for name in ("partners", "children", "others")}
    exemption = {"ground": out.pop("exemption_ground"), "valid_from": out.pop("exemption_from"),
                 "valid_to": out.pop("exemption_to"), "proof": out.pop("exemption_proof")}
    out["exemption"] = exemption if exemption["ground"] else None
    return out


def put_alan(pages, company, records, months):
    root = f"alan/v1/companies/{company['company_id']}"
    as_of = company["sources"][0]["synced_at"]
    shape = ("limit", "cursor", lambda data, following, total: {"data": data, "next_cursor": following,
                                                                "total_count": total, "as_of": as_of})
    pages.put(root, [], {"id": company["company_id"], "siren": company["siren"], "name": company["name"],
                         "previous_sirens": []})
    invoices, lines = records["invoices"], records.get("invoice_lines", [])
    month_of = {invoice["invoice_id"]: invoice["billing_month"] for invoice in invoices}
    by_month = {month: [] for month in months}
    for line in lines:
        by_month[month_of[line["invoice_id"]]].append(renamed(line, line_id="id"))
    for name, some in (("contracts", [renamed(r, contract_id="id") for r in records["contracts"]]),
                       ("affiliations", [affiliation(r) for r in records["affiliations"]])):
        pages.put_list(f"{root}/{name}", [], ALAN_PAGE, some, shape)
    for month in months:
        query = [("billing_month", month)]
        of_month = [renamed(r, invoice_id="id") for r in invoices if r["billing_month"] == month]
        pages.put_list(f"{root}/invoices", query, ALAN_PAGE, of_month, shape)
        pages.put_list(f"{root}/invoice_lines", query, ALAN_PAGE, by_month[month], shape)


# ---- PayFit ----

STATUS = {"active": "ACTIVE", "ended": "ARCHIVED", "pending": "PENDING"}
STATUT = {"executive": "04", "non_executive": "06"}


def collaborator(employee):
    return {"id": employee["employee_id"], "matricule": employee["matricule"], "firstName": employee["first_name"],
            "lastName": employee["last_name"], "birthDate": employee["birth_date"],
            "socialSecurityNumber": employee["nir"], "contracts": [{}]}


def employment(record):
    return {"id": record["employment_id"], "collaboratorId": record["employee_id"], "startDate": record["starts_on"],
            "endDate": record["ends_on"], "status": STATUS[record["status"]],
            "statutConventionnelDsn": STATUT[record["category"]], "employeeIsExempted": record["exempt"],
            "healthInsuranceContractIds": record["health_contract_ids"],
            "providentFundContractIds": record["provident_contract_ids"]}


def put_payfit(pages, company, records, siret):
    root = f"payfit/companies/{siret}"
    jobs = [r for r in records["employments"] if r["siret"] == siret]
    people, known = {r["employee_id"] for r in jobs}, {r["employment_id"] for r in jobs}
    pages.put(f"payfit/companies-fr/{siret}", [], {"siren": company["siren"], "name": company["name"], "siret": siret,
                                                    "nbActiveContracts": company["headcount"]})
    for month in (r["month"] for r in records["payroll_periods"]):
        pages.put(f"{root}/payroll-status", [("date", month.replace("-", ""))],
                  {"status": "not_completed", "executionEndDate": None})
    pages.put_list(f"{root}/collaborators", [], PAYFIT_PAGE,
                   [collaborator(r) for r in records["employees"] if r["employee_id"] in people],
                   ("maxResults", "nextPageToken", lambda data, following, total: {
                       "collaborators": data, "meta": {"nextPageToken": following}}))
    pages.put_list(f"{root}/contracts-fr", [("includeInProgressContracts", "true")], PAYFIT_PAGE,
                   [employment(r) for r in jobs],
                   ("maxResults", "nextPageToken", lambda data, following, total: {
                       "contracts": data, "nextPageToken": following}))
    for product, path in (("health", "health-insurance-contracts"), ("provident", "provident-fund-contracts")):
        pages.put(f"{root}/{path}", [], {"contracts": [
            {"idContrat": r["payroll_contract_id"], "refContrat": r["reference"], "codeOption": r["option_code"],
             "codePopulation": r["population_code"], "affiliatedContractIds": r["employment_ids"]}
            for r in records["payroll_contracts"]
            if r["product"] == product and not known.isdisjoint(r["employment_ids"])]})


# ---- the whole ----

def put_bases(pages, company, records, months):
    for month in months:
        pages.put_file(f"imports/{company['company_id']}/bases-{month}.csv", [
            ("employment_id", "month", "gross", "t1", "t2"),
            *((r["employment_id"], month, *(euros(r[f"{name}_cents"]) for name in ("gross", "t1", "t2")))
              for r in records["pay_bases"] if r["month"] == month)])


def write_pages(folder, to, url):
    """From extract's output in a folder; below `to` come pages/, imports/, pipeline.yaml, companies.csv, curl.config."""
    pages = Pages(to, url)
    pages.to.mkdir(parents=True, exist_ok=True)
    with open(pages.to / "companies.csv", "w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(COMPANIES_HEAD)
        for company, records in company_records(folder):
            months = [r["month"] for r in records["payroll_periods"]]
            put_alan(pages, company, records, months)
            put_bases(pages, company, records, months)
            for establishment in company["establishments"]:
                siret = establishment["siret"]
                rows.writerow((company["company_id"], company["siren"], company["headcount"], company["company_id"], siret,
                               siret, PAYROLL_TOKEN))
                put_payfit(pages, company, records, siret)
    (pages.to / "pipeline.yaml").write_text(CONFIG % {"to": pages.to, "url": url}, encoding="utf-8")
    with open(pages.to / "curl.config", "w", encoding="utf-8") as out:
        for number, asked in enumerate(pages.asked):
            out.write(f'url = "{asked}"\noutput = "{number}"\n')
