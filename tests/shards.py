"""What a night in shards has to be: the same records staged and the same facts loaded as in one go."""
import json

from loading import FACTS

LEFT_OUT = {"part", "ranges", "sources"}  # of the index: where records lie and when they were read, which differ


def staged(staging, period, run_id, stage):
    """{entity: sorted records} of a run, of all its shards together."""
    union = {}
    folders = [path for path in (staging / period / run_id).glob(f"{stage}*") if (path / "manifest.json").exists()]
    assert folders, f"nothing staged by {stage} in {staging / period / run_id}"
    for file in (file for folder in folders for file in folder.glob("*.ndjson")):
        entity = file.name.removesuffix(".ndjson").rsplit("-", 1)[0]
        union.setdefault(entity, []).extend(file.read_text(encoding="utf-8").splitlines())
    union["companies"] = [json.dumps({key: value for key, value in json.loads(line).items() if key not in LEFT_OUT})
                          for line in union["companies"]]
    return {entity: sorted(lines) for entity, lines in union.items()}


def loaded(psql):
    """{table: sorted rows}; psql runs a statement and returns what it prints."""
    return {table: psql(f"SELECT t FROM payroll.{table} t ORDER BY 1")
            for table in FACTS if table != "discrepancy_event"}


def differences(some, others):
    """The names under which two of these do not hold the same; what is in them is nobody's to read in a log."""
    return sorted(name for name in {*some, *others} if some.get(name) != others.get(name))
