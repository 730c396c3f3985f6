"""Staged output made by hand: what a test says of some records becomes a complete folder of a stage, manifest and all.
The records and the order of their fields are read from common/records.def, so that they are declared once."""
import ctypes
import hashlib
import json
import os
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
MISSING = {"TEXTS": [], "LIST": []}


def _records():
    records, entities, name = {}, {}, None
    for line in (ROOT / "common" / "records.def").read_text(encoding="utf-8").splitlines():
        if match := re.match(r'RECORD\((\w+), "(\w*)"\)', line):
            name = match[1]
            records[name] = []
            if match[2]:
                entities[match[2]] = name
        elif match := re.match(r"FIELD\(\w+, (\w+), (\w+), (\w+), (\w+)\)", line):
            records[name].append(match.groups())
    return records, entities


RECORDS, ENTITIES = _records()


def complete(name, values):
    """All fields of a record in order; what is not given is null (or an empty list)."""
    fields = RECORDS[name]
    unknown = set(values) - {field for _, field, _, _ in fields}
    assert not unknown, f"{name} has no field {unknown}"
    record = {}
    for kind, field, _, argument in fields:
        value = values.get(field, MISSING.get(kind))
        if kind == "LIST":
            value = [complete(argument, item) for item in value or []]
        record[field] = value
    return record


def line(name, values):
    return json.dumps(complete(name, values), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def sum_field(name):
    return next((field for _, field, need, _ in RECORDS[name] if need == "SUM"), None)


class _XXH128(ctypes.Structure):
    _fields_ = [("low64", ctypes.c_uint64), ("high64", ctypes.c_uint64)]


_xxh128 = ctypes.CDLL("libxxhash.so.0").XXH3_128bits
_xxh128.restype, _xxh128.argtypes = _XXH128, (ctypes.c_char_p, ctypes.c_size_t)


def digests(content):
    """What a manifest says of a file's content."""
    hashed = _xxh128(content, len(content))
    return {"sha256": hashlib.sha256(content).hexdigest(), "xxh128": f"{hashed.high64:016x}{hashed.low64:016x}"}


class Raw(bytes):
    """A line as no stage writes it, taken as it is; cents: what the manifest says of it."""
    cents = 0


class Writer:
    """One folder of a stage. companies: [(company values, {entity: [values]})], in any order, so many of them to a part."""

    def __init__(self, staging, stage, run_id, period, as_of, began_at=None, made_from=None):
        self.folder = pathlib.Path(staging, period, run_id, stage)
        for level in (pathlib.Path(staging), self.folder.parent.parent, self.folder.parent, self.folder):
            level.mkdir(mode=0o700, exist_ok=True)
        self.head = {"schema_version": 2, "tool_version": "test", "stage": stage, "run_id": run_id, "period": period, "as_of": as_of,
                     "began_at": began_at or as_of, "shard": 0, "shards": 1, "made_from": made_from}

    def write(self, companies, rejects=(), per_part=None):
        companies = sorted(companies, key=lambda one: one[0]["company_id"].encode())
        per_part = per_part or max(len(companies), 1)
        index, files, parts = b"", [], []
        for part, first in enumerate(range(0, max(len(companies), 1), per_part)):
            lines, part_files = self._part(part, companies[first:first + per_part])
            parts.append({"companies": len(companies[first:first + per_part]), "offset": len(index), "bytes": len(lines)})
            index += lines
            files += part_files
        first = [self._file("companies.ndjson", index, len(companies), 0)]
        if rejects:
            first.append(self._file("rejects.ndjson", b"".join(line("reject", r) for r in rejects), len(rejects), 0))
        files = first + files
        failed = sum(company.get("status") == "failed" for company, _ in companies)
        self._manifest(files, parts, {"ok": len(companies) - failed, "failed": failed}, len(rejects))

    def _part(self, part, companies):
        """Writes the files of one part; its lines of the index, and what the manifest says of the files."""
        data, rows, cents, index = {}, {}, {}, b""
        for company, entities in companies:
            ranges = []
            for entity in [e for e in ENTITIES if e in entities]:
                name, records = ENTITIES[entity], entities[entity]
                chunk = b"".join(r if isinstance(r, Raw) else line(name, {"company_id": company["company_id"], **r})
                                 for r in records)
                total = sum(r.cents if isinstance(r, Raw) else r.get(sum_field(name)) or 0 for r in records)
                if records:
                    ranges.append({"entity": entity, "offset": len(data.get(entity, b"")), "bytes": len(chunk),
                                   "rows": len(records), "cents": total})
                    data[entity] = data.get(entity, b"") + chunk
                    rows[entity] = rows.get(entity, 0) + len(records)
                    cents[entity] = cents.get(entity, 0) + total
            index += line("company", {"status": "ok", **company, "part": part, "ranges": ranges})
        return index, [self._file(f"{e}-{part:04}.ndjson", data[e], rows[e], cents[e]) for e in ENTITIES if e in data]

    def _file(self, name, content, rows, cents):
        path = self.folder / name
        path.write_bytes(content)
        os.chmod(path, 0o600)
        return {"name": name, "rows": rows, "bytes": len(content), "cents": cents,
                **digests(content)}

    def _manifest(self, files, parts, companies, rejects):
        manifest = {**self.head, "companies": companies, "rejects": rejects, "parts": parts, "files": files}
        path = self.folder / "manifest.json"
        path.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        os.chmod(path, 0o600)
