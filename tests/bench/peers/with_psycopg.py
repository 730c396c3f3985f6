"""Joins and halves in Python, and copies rows to PostgreSQL as they are made.
    IN=extract's folder MONTH=YYYY-MM with_psycopg.py"""
import json
import os
import pathlib

import psycopg

FOLDER = pathlib.Path(os.environ["IN"])


def records(entity):
    for path in sorted(FOLDER.glob(f"{entity}-*.ndjson")):
        with open(path, encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def rows():
    invoices = {(i["company_id"], i["invoice_id"]) for i in records("invoices")
                if i["billing_month"] == os.environ["MONTH"]}
    employees = {(e["company_id"], e["nir"][:13]): e["employee_id"] for e in records("employees") if e["nir"]}
    for line in records("invoice_lines"):
        company = line["company_id"]
        if (company, line["invoice_id"]) not in invoices:
            continue
        amount = line["amount_cents"]
        half = (abs(amount) + 1) // 2
        employer = half if amount >= 0 else -half
        employee = employees.get((company, line["nir"][:13])) if line["nir"] else None
        yield company, line["line_id"], employee, amount, employer, amount - employer


def main():
    with psycopg.connect() as connection, connection.cursor() as cursor:
        with cursor.copy("COPY result FROM STDIN") as copy:
            for row in rows():
                copy.write_row(row)


if __name__ == "__main__":
    main()
