"""The JSON Schemas and the readers say the same: of every shipped document, of every key,
and of a table of good and bad values."""
import copy
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "tests"))
from tap import Tap  # noqa: E402

tap = Tap()
check = tap.check
e3 = sys.argv[1]
schemas = {}
for kind in ("scenario", "matrix", "inventory"):
    schema = json.loads((root / f"docs/schema/{kind}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    schemas[kind] = jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)

GOOD = {
    "scenario": {
        "$schema": "e3/scenario/v1", "name": "good", "description": "one of everything",
        "parties": {"count": [2, 3], "regions": ["ams", "nyc"]},
        "network": {"matrix": "matrices/azure-2026-07.json", "scale": 1,
                    "intra_region_one_way_us": 150, "rate_mbps": 100, "jitter_us": 20, "loss": 0.01},
        "transports": [{"plugin": "tcp", "options": {"a": "text", "b": 7, "c": True}}],
        "workloads": [{"name": "secret-santa", "mode": "mpyc", "sizes": ["low", 12], "field_bits": 61}],
        "probes": {"rate_hz": 20, "bytes": 64}, "runs": {"blocks": 3, "timeout_s": 120, "delay_scales": [0, 1, 2.5], "reruns": 0}, "seed": 1},
    "matrix": {
        "$schema": "e3/matrix/v1", "name": "m", "quantity": "rtt", "unit": "ms", "percentile": 50,
        "source": {"title": "t", "url": "u", "file": "f", "observed": "o", "retrieved": "r",
                   "licence": "l", "attribution": "a", "mapping": {"aa": "A"}},
        "order": "row=source, column=destination",
        "sites": ["aa", "bb"], "rtt": [[None, 1.5], [2, None]]},
    "inventory": {
        "$schema": "e3/inventory/v1", "backend": "ssh", "identity": {"secret_ref": "file:/k"}, "up": "distant-4",
        "hosts": [{"name": "host0", "region": "ams", "address": "203.0.113.7", "port": 2222,
                   "user": "e3_user", "host_key": "ssh-ed25519 AAAA"}]},
}

# kind, path, value: the schema and the reader must agree; whether it is good is said.
VALUES = [
    ("scenario", "$schema", "e3/matrix/v1", False),
    ("scenario", "name", "../x", False), ("scenario", "name", "-x", False),
    ("scenario", "name", "x" * 63, True), ("scenario", "name", "x" * 64, False),
    ("scenario", "name", "Upper", False), ("scenario", "name", 7, False),
    ("scenario", "description", "é" * 255, True), ("scenario", "description", "é" * 256, False),
    ("scenario", "description", "", False), ("scenario", "description", "a\tb", False),
    ("scenario", "description", None, False),
    ("scenario", "parties/count", 1, True), ("scenario", "parties/count", 10, True),
    ("scenario", "parties/count", 0, False), ("scenario", "parties/count", 11, False),
    ("scenario", "parties/count", 2.0, True), ("scenario", "parties/count", 2.5, False),
    ("scenario", "parties/count", "2", False), ("scenario", "parties/count", [], False),
    ("scenario", "parties/count", [3, 3], False), ("scenario", "parties/count", list(range(1, 11)), True),
    ("scenario", "parties/regions", [], False), ("scenario", "parties/regions", ["ams"] * 64, True),
    ("scenario", "parties/regions", ["ams"] * 65, False), ("scenario", "parties/regions", "ams", False),
    ("scenario", "network/scale", 0, True), ("scenario", "network/scale", 10, True),
    ("scenario", "network/scale", 10.5, False), ("scenario", "network/scale", -1, False),
    ("scenario", "network/scale", "1", False), ("scenario", "network/scale", 1e999, False),
    ("scenario", "network/intra_region_one_way_us", -1, False),
    ("scenario", "network/intra_region_one_way_us", 0.5, True),
    ("scenario", "network/intra_region_one_way_us", 1000001, False),
    ("scenario", "network/rate_mbps", 0, False), ("scenario", "network/rate_mbps", 0.001, True),
    ("scenario", "network/rate_mbps", 1e6, True), ("scenario", "network/rate_mbps", 1.1e6, False),
    ("scenario", "network/jitter_us", -1, False), ("scenario", "network/jitter_us", 1e6, True),
    ("scenario", "network/loss", 1, False), ("scenario", "network/loss", -0.1, False),
    ("scenario", "network/loss", 0.99, True), ("scenario", "network/loss", True, False),
    ("scenario", "network", [], False), ("scenario", "transports", [], False),
    ("scenario", "transports/0/plugin", "x" * 31, True), ("scenario", "transports/0/plugin", "x" * 32, False),
    ("scenario", "transports/0/plugin", "../tcp", False),
    ("scenario", "transports/0/options", {}, True), ("scenario", "transports/0/options", [], False),
    ("scenario", "transports/0/options", {f"k{i}": i for i in range(16)}, True),
    ("scenario", "transports/0/options", {f"k{i}": i for i in range(17)}, False),
    ("scenario", "transports/0/options/a", 1.5, False), ("scenario", "transports/0/options/a", None, False),
    ("scenario", "transports/0/options/a", "", False), ("scenario", "transports/0/options/a", "x" * 255, True),
    ("scenario", "transports/0/options/a", "x" * 256, False), ("scenario", "transports/0/options/a", -7, True),
    ("scenario", "transports/0/options/a", [1], False), ("scenario", "workloads", [], False),
    ("scenario", "workloads", [{"name": f"w{i}", "sizes": ["low"]} for i in range(16)], True),
    ("scenario", "workloads", [{"name": f"w{i}", "sizes": ["low"]} for i in range(17)], False),
    ("scenario", "workloads/0/mode", "", False), ("scenario", "workloads/0/mode", "x" * 15, True),
    ("scenario", "workloads/0/mode", "x" * 16, False), ("scenario", "workloads/0/sizes", [], False),
    ("scenario", "workloads/0/sizes", [0], False), ("scenario", "workloads/0/sizes", [10 ** 9], True),
    ("scenario", "workloads/0/sizes", [10 ** 9 + 1], False), ("scenario", "workloads/0/sizes", ["low", "low"], False),
    ("scenario", "workloads/0/sizes", [1, 2, 3, 4, 5, 6, 7, 8], True),
    ("scenario", "workloads/0/sizes", [1, 2, 3, 4, 5, 6, 7, 8, 9], False),
    ("scenario", "workloads/0/sizes", "low", False),
    ("scenario", "workloads/0/field_bits", 3, False), ("scenario", "workloads/0/field_bits", 4, True),
    ("scenario", "workloads/0/field_bits", 512, True), ("scenario", "workloads/0/field_bits", 513, False),
    ("scenario", "probes/rate_hz", 0, True), ("scenario", "probes/rate_hz", 1001, False),
    ("scenario", "probes/rate_hz", 1.5, False), ("scenario", "probes/bytes", 15, False),
    ("scenario", "probes/bytes", 1200, True), ("scenario", "probes/bytes", 1201, False),
    ("scenario", "runs/blocks", 0, False), ("scenario", "runs/blocks", 1000, True),
    ("scenario", "runs/blocks", 1001, False), ("scenario", "runs/timeout_s", 0, False),
    ("scenario", "runs/timeout_s", 86400, True), ("scenario", "runs/timeout_s", 86401, False),
    ("scenario", "seed", 2 ** 53 - 1, True), ("scenario", "seed", 2 ** 53, False),
    ("scenario", "seed", -1, False), ("scenario", "seed", "1", False), ("scenario", "probes", None, False),
    ("matrix", "unit", "us", False), ("matrix", "quantity", "owd", False), ("matrix", "name", "", False),
    ("matrix", "percentile", 101, False), ("matrix", "percentile", 99.9, True), ("matrix", "order", "x", False),
    ("matrix", "sites", [], False), ("matrix", "sites", ["aa", "aa"], False),
    ("matrix", "sites/0", "x" * 16, False), ("matrix", "sites/0", "AA", False), ("matrix", "rtt", [], False),
    ("matrix", "rtt/0/1", -1, False), ("matrix", "rtt/0/1", 10001, False), ("matrix", "rtt/0/1", 0, True),
    ("matrix", "rtt/0/1", "1", False), ("matrix", "rtt/0", 7, False), ("matrix", "source/title", "x" * 512, False),
    ("matrix", "source/title", "x" * 511, True), ("matrix", "source/mapping/aa", 7, False),
    ("matrix", "source/mapping", [], False), ("matrix", "source", None, False),
    ("scenario", "runs/reruns", 9, True), ("scenario", "runs/reruns", 10, False),
    ("scenario", "runs/delay_scales", [1], True), ("scenario", "runs/delay_scales", [0, 2], False),
    ("scenario", "runs/delay_scales", [1, 1], False), ("scenario", "runs/delay_scales", [1, 2, 3, 4, 5], False),
    ("scenario", "runs/delay_scales", [1, -1], False), ("scenario", "runs/delay_scales", [1, 11], False),
    ("scenario", "runs/delay_scales", 1, False),
    ("inventory", "backend", "cloud", False), ("inventory", "backend", "emulated", True),
    ("inventory", "hosts", [], False), ("inventory", "hosts/0/address", "example.org", False),
    ("inventory", "hosts/0/address", "2001:db8::7", True), ("inventory", "hosts/0/address", "1.2.3", False),
    ("inventory", "hosts/0/port", 0, False), ("inventory", "hosts/0/port", 65536, False),
    ("inventory", "hosts/0/user", "-x", False), ("inventory", "hosts/0/user", "ro ot", False),
    ("inventory", "hosts/0/host_key", "ssh-rsa AAAA", False),
    ("inventory", "hosts/0/host_key", "ssh-ed25519 AAAA me@here", False),
    ("inventory", "identity/secret_ref", "hunter2", False), ("inventory", "identity/secret_ref", "file:", False),
    ("inventory", "up", "../x", False), ("inventory", "up", "x" * 63, True), ("inventory", "up", "x" * 64, False),
    ("inventory", "identity", {}, False), ("inventory", "hosts/0/name", "h" * 32, False),
]


def at(document, path):
    """The container of the last step of a path, and that step."""
    steps = [int(s) if s.isdigit() else s for s in path.split("/")]
    for step in steps[:-1]:
        document = document[step]
    return document, steps[-1]


def changed(kind, path, value):
    document = copy.deepcopy(GOOD[kind])
    container, step = at(document, path)
    container[step] = value
    return document


def objects(value, path=()):
    """Every object of a document with its path, maps from names of the user's excepted."""
    if isinstance(value, dict):
        yield path, value
        for key, below in value.items():
            if key not in ("options", "mapping"):
                yield from objects(below, path + (key,))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from objects(below, path + (str(index),))


def schema_at(kind, path):
    schema = schemas[kind].schema
    for step in path:
        schema = schema["items"] if step.isdigit() else schema["properties"][step]
    return schema


def read(kind, documents):
    """What the reader says of each, in one process."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "matrices").symlink_to(root / "scenarios/matrices")
        names = []
        for index, document in enumerate(documents):
            name = pathlib.Path(folder, f"{index}.json")
            text = json.dumps(document, ensure_ascii=False).replace("Infinity", "1e999")
            name.write_text(text)
            names.append(str(name))
        done = subprocess.run([e3, "schema", "check", kind, *names], text=True, capture_output=True, timeout=60)
        said = [line.split(": ", 1)[1] for line in done.stdout.splitlines()]
        if len(said) != len(documents) or done.returncode != (2 if set(said) != {"ok"} else 0) or done.stderr:
            raise SystemExit(f"schema check: exit {done.returncode}, {len(said)} lines of {len(documents)}, {done.stderr}")
        return said


def shipped():
    for path in sorted(root.glob("scenarios/*.json")) + sorted(root.glob("scenarios/matrices/*.json")):
        kind = "matrix" if path.parent.name == "matrices" else "scenario"
        said = subprocess.run([e3, "schema", "check", kind, path], text=True, capture_output=True,
                              timeout=60).stdout.strip()
        errors = [e.message for e in schemas[kind].iter_errors(json.loads(path.read_text()))]
        check(said == f"{path}: ok" and not errors, f"{path.relative_to(root)}: {said} {errors}")
        if kind == "scenario":
            check(json.loads(path.read_text())["name"] == path.stem, f"{path.name} bears its name")


def values():
    for kind in GOOD:
        cases = [("", None, True)] + [v[1:] for v in VALUES if v[0] == kind]
        documents = [changed(kind, path, value) if path else GOOD[kind] for path, value, _ in cases]
        for (path, value, good), document, said in zip(cases, documents, read(kind, documents)):
            valid = schemas[kind].is_valid(document)
            # Whether rows fit the sites is beyond a schema.
            check(valid == good and (said == "ok") == good,
                  f"{kind} /{path} = {str(value)[:40]!r}: schema {valid}, reader '{said}'")


def keys():
    for kind, document in GOOD.items():
        for path, value in objects(document):
            schema = schema_at(kind, path)
            unknown = changed(kind, "/".join(path + ("zzzzzzzz",)), 1)
            said = read(kind, [unknown])[0]
            known = set(re.sub(".*known here: ", "", said).split(", "))
            where = f"{kind} /{'/'.join(path)}"
            check(known == set(schema["properties"]), f"{where}: the reader knows the keys of the schema")
            check(set(value) == known, f"{where}: the example has every key")
            check(not schemas[kind].is_valid(unknown), f"{where}: the schema refuses an unknown key")
            required = schema.get("required", []) + (
                ["address", "user", "host_key"] if path == ("hosts", "0") else [])
            without = []
            for key in sorted(known):
                shorter = copy.deepcopy(document)
                container = shorter
                for step in path:
                    container = container[int(step) if step.isdigit() else step]
                del container[key]
                without.append(shorter)
            for key, shorter, said in zip(sorted(known), without, read(kind, without)):
                valid = schemas[kind].is_valid(shorter)
                check(valid == (said == "ok") == (key not in required),
                      f"{where} without {key}: schema {valid}, reader '{said}'")


def inventories():
    two = copy.deepcopy(GOOD["inventory"])
    two["hosts"] *= 2
    check(read("inventory", [two]) == ["/hosts/1: the host 'host0' stands here twice"],
          "an inventory names a host once")
    two["hosts"] = [two["hosts"][0], {**two["hosts"][0], "name": "host1"}]
    check(read("inventory", [two]) == ["ok"], "an inventory has several hosts")
    for key in ("address", "user", "host_key"):
        emulated = copy.deepcopy(GOOD["inventory"])
        del emulated["hosts"][0][key]
        check(read("inventory", [emulated]) == [f"/hosts/0: the key '{key}' is missing"] and
              not schemas["inventory"].is_valid(emulated), f"a host over ssh has its {key}")
        emulated["backend"] = "emulated"
        check(read("inventory", [emulated]) == ["ok"] and schemas["inventory"].is_valid(emulated),
              f"an emulated host needs no {key}")



def leaves(schema, path=""):
    """Every key of a schema that isn't an object of further keys, and its default."""
    for key, below in schema.get("properties", {}).items():
        name = f"{path}.{key}" if path else key
        if below.get("type") == "array" and "properties" in below.get("items", {}):
            yield from leaves(below["items"], name + "[]")
        elif "properties" in below:
            yield from leaves(below, name)
        else:
            yield name, below.get("default")


def documented():
    """docs/scenarios.md has a row for every key, with the schema's default, and no other."""
    text = (root / "docs/scenarios.md").read_text().split("## Keys", 1)[1].split("\n## ", 1)[0]
    rows = dict(re.findall(r"^\| `([$a-z_.\[\]]+)` \| ([^|]*?) ?\|", text, re.MULTILINE))
    keys_of_schema = dict(leaves(schemas["scenario"].schema))
    check(list(rows) == list(keys_of_schema), "docs/scenarios.md has the keys of the schema, in its order")
    for key, default in keys_of_schema.items():
        check(default is None or rows.get(key) == str(default), f"docs/scenarios.md: default of {key}")


shipped()
documented()
values()
keys()
inventories()
sys.exit(tap.end())
