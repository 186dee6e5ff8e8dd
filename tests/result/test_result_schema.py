#!/usr/bin/env python3
"""Documents as written are valid; spoilt ones are not; codes of the schema are those of the tables.

usage: test_result_schema.py MAKE_RESULT ROOT
"""
import copy
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema

OPEN = {"document", "inventory", "versions", "environment", "facts", "hosts", "phases_ns"}
SPOILT = [  # path, value that must not pass
    ("status", "ok"), ("$schema", "e3/result/v2"), ("started_at", "yesterday"),
    ("provenance/scenario/sha256", "ABC"), ("provenance/seed", -1),
    ("cells/0/cell/parties", 11), ("cells/0/status", "fine"), ("cells/0/blocks/0/status", "degraded"),
    ("cells/0/figures/round_ns/data", "HDR"), ("cells/0/figures/wall_ns/median", "1 s"),
    ("cells/0/blocks/0/hosts/host0/outcome", "exit"), ("cells/0/blocks/0/wire/packets", 1.5),
    ("cells/0/blocks/0/hosts/host0/report/measured/rounds", -1),
    ("calibration/pairs/0/rtt_ns", 17), ("notes/0", None),
]


def at(document, path):
    for key in path.split("/")[:-1]:
        document = document[int(key)] if isinstance(document, list) else document[key]
    key = path.split("/")[-1]
    return document, int(key) if isinstance(document, list) else key


def closed_objects(value, key=None, path=()):
    """Every object that must not take a key of any name."""
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from closed_objects(item, key, path + (i,))
    elif isinstance(value, dict):
        if key not in OPEN:
            yield path
        for name, item in value.items():
            if name not in ("document", "inventory", "environment"):
                yield from closed_objects(item, name, path + (name,))


def thin(document):
    """One of each kind is enough to spoil."""
    document = copy.deepcopy(document)
    document["cells"] = document["cells"][:1]
    for block in document["cells"][0]["blocks"][:1]:
        block["hosts"] = {"host0": block["hosts"]["host0"]}
        measured = block["hosts"]["host0"]["report"]["measured"]
        for name in ("phases", "pairs", "histograms"):
            measured[name] = measured[name][:1]
        block["wire"]["pairs"] = block["wire"]["pairs"][:1]
    document["cells"][0]["blocks"] = document["cells"][0]["blocks"][:1]
    document["calibration"]["pairs"] = document["calibration"]["pairs"][:1]
    return document


def codes(path, table):
    text = re.search(rf"#define {table}\(X\)(.*?)\n\n", path.read_text(), re.S)[1]
    return re.findall(r'X\(\w+,\s*"(\w+)"', text)


def checks(make_result, root):
    schema = json.loads((root / "docs/schema/result.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    with tempfile.TemporaryDirectory(prefix="e3-test-schema-") as folder:
        subprocess.run([make_result, folder], check=True, capture_output=True)
        files = list(pathlib.Path(folder).iterdir())
        yield "one file is left", len(files) == 1
        document = json.loads(files[0].read_text())
        summary = json.loads(subprocess.run([make_result, folder, "json"], check=True,
                                            capture_output=True, text=True).stdout)
    errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}"
              for e in validator.iter_errors(document)]
    print("".join(f"# {error}\n" for error in errors[:10]), end="")
    yield "a written document is valid", not errors
    yield "it has every kind of cell", {c["status"] for c in document["cells"]} == {
        "ok", "failed", "unsupported", "not_run"}
    small = thin(document)
    yield "a thinned one too", validator.is_valid(small)
    for path, value in SPOILT:
        spoilt = copy.deepcopy(small)
        parent, key = at(spoilt, path)
        parent[key] = value
        yield f"{path} = {value!r} is refused", not validator.is_valid(spoilt)
        if isinstance(parent, dict):
            del parent[key]
            yield f"nothing at {path} is refused", not validator.is_valid(spoilt)
    yield "unknown keys are refused everywhere", all(
        not validator.is_valid(with_key(small, path)) for path in closed_objects(small))
    defs = schema["$defs"]
    result_h, taint_h = root / "harness/result/result.h", root / "harness/measure/taint.h"
    yield "taints", defs["taint_code"]["enum"] == codes(taint_h, "TAINTS")
    yield "statuses of a cell", defs["cell"]["properties"]["status"]["enum"] == codes(result_h, "CELL_STATUSES")
    yield "statuses of a result", schema["properties"]["status"]["enum"] == codes(result_h, "RESULT_STATUSES")
    yield "life phases", list(defs["block"]["properties"]["phases_ns"]["properties"]) == codes(
        result_h, "LIFE_PHASES")
    yield "the summary has the cells and no blocks", (
        [c["cell"] for c in summary["cells"]] == [c["cell"] for c in document["cells"]]
        and not any("blocks" in c for c in summary["cells"]))


def with_key(document, path):
    document = copy.deepcopy(document)
    here = document
    for key in path:
        here = here[key]
    here["zzz"] = 1
    return document


def main():
    failed = 0
    for what, holds in checks(sys.argv[1], pathlib.Path(sys.argv[2])):
        print(f"{'ok' if holds else 'not ok'} - {what}")
        failed += not holds
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
