"""One company's output against the oracle, and the smallest company that still shows a difference."""
import collections
import json

from batch import records, transform_once
from invariants import broken
from oracle import Oracle

KEY = ("line_id", "employment_id", "cover_from", "status")


def differences(run, company, entities, output):
    """What the product made of a company that the oracle did not, and the other way round; broken invariants."""
    oracle = Oracle(run, company, entities)
    rows, controls = oracle.month()
    return [*broken(run, company, entities, output),
            *compared(rows, records(output, "contributions"), KEY),
            *compared(controls, records(output, "invoice_controls"), ("invoice_id",)),
            *money_told(oracle, records(output, "discrepancies")),
            *matched(oracle, records(output, "members"))]


def compared(expected, actual, key):
    expected, actual = ({tuple(x[k] for k in key): x for x in rows} for rows in (expected, actual))
    for name in sorted(expected.keys() | actual.keys(), key=str):
        mine, its = expected.get(name), actual.get(name)
        if not mine or not its:
            yield f"{name}: {'only expected' if mine else 'not expected'}: {json.dumps(mine or its)}"
        elif fields := [f"{k} {its[k]!r}, expected {mine[k]!r}" for k in mine if its[k] != mine[k]]:
            yield f"{name}: {', '.join(fields)}"


def money_told(oracle, discrepancies):
    """The held money of each discrepancy: those of identity by code, the others by what they are about."""
    told, whole = collections.Counter(), ("member_not_in_payroll", "nir_mismatch", "nir_duplicate")
    for x in discrepancies:
        about = (None, None, None) if x["code"] in whole else (x["employment_id"], x["contract_id"], x["cover_month"])
        told[x["code"], *about] += x["held_cents"]
    for about in sorted(told | oracle.told, key=str):
        if told[about] != oracle.told[about]:
            yield f"{about}: {told[about]} cents told, expected {oracle.told[about]}"


def matched(oracle, members):
    for x in members:
        mine = oracle.people.employee_of.get(x["member_id"]), oracle.people.matched_by.get(x["member_id"], "none")
        if (x["employee_id"], x["matched_by"]) != mine:
            yield f"{x['member_id']} is {x['employee_id']} by {x['matched_by']}, expected {mine}"


def smaller(company, entities):
    """The same company without one of its records, and without one term of a contract."""
    for entity, found in entities.items():
        for i in range(len(found)):
            yield {**entities, entity: found[:i] + found[i + 1:]}
    for i, contract in enumerate(entities.get("contracts", [])):
        for k in range(len(contract["terms"])):
            less = {**contract, "terms": contract["terms"][:k] + contract["terms"][k + 1:]}
            yield {**entities, "contracts": entities["contracts"][:i] + [less] + entities["contracts"][i + 1:]}


def shrunk(run, company, entities, differs=differences):
    """Takes records away while a difference remains; all candidates of a step go through transform at once."""
    while True:
        candidates = [({**company, "company_id": f"s{i}"}, x) for i, x in enumerate(smaller(company, entities))]
        output = transform_once(run, candidates)
        before = entities
        entities = next((x for c, x in candidates if differs(run, c, x, output[c["company_id"]])), None)
        if entities is None:
            return {entity: found for entity, found in before.items() if found}
