#!/usr/bin/env python3
"""Writes the sample's three companies as the sources hold them: what feed.py serves, the spreadsheets, and
expected.json, the discrepancies and shares that a run must come to.  usage: companies.py FOLDER"""
import pathlib
import sys

import bakery
import haulier
import joinery
from world import write_json

ALAN_TOKEN = "alan-sample-token"


def build():
    return [bakery.build(), joinery.build(), haulier.build()]


def write(folder, companies):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for company in companies:
        company.write(folder)
    write_json(folder / "auth.json", {
        "alan_tokens": [ALAN_TOKEN], "alan_clients": {"sample-client": "sample-secret"},
        "payfit_keys": {site.key: site.id for company in companies for site in company.sites}})
    write_json(folder / "expected.json", {
        "discrepancies": [row for company in companies for row in company.expected],
        "employer_cents": {company.id: company.employer_cents for company in companies},
        "employee_cents": {company.id: company.employee_cents for company in companies}})


if __name__ == "__main__":
    write(sys.argv[1], build())
