#!/usr/bin/env python3
"""Fail when a file includes a layer it must not know about."""
import pathlib
import re
import sys

ALLOWED = {  # layer: layers it may include, besides itself
    "base": set(),
    "include": {"e3"},
    "engine": {"base"},
    "testbed": {"base"},
    "transports": {"e3"},
    "harness": {"base", "engine", "testbed", "e3"},
    "tests": {"base", "engine", "testbed", "e3", "harness", "transports"},
}
LAYERS = set(ALLOWED) | {"e3"}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([a-z0-9_]+)/')
# What a layer's folder may not use at all, whoever lends it.
FORBIDDEN = {
    "base": r"<(uv|gmp|cjson/cJSON|libssh2|sys/socket)\.h>",
    "engine": r"<(uv|cjson/cJSON|libssh2|sys/socket|time|sys/time|fcntl)\.h>",
    "testbed": r"<(uv|cjson/cJSON|libssh2)\.h>",
    "include": r"<(uv|cjson/cJSON|libssh2|gmp)\.h>",
}


def violations(root):
    for layer, allowed in ALLOWED.items():
        forbidden = re.compile(r"^\s*#\s*include\s*" + FORBIDDEN[layer]) if layer in FORBIDDEN else None
        for path in sorted((root / layer).rglob("*.[ch]")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                where = f"{path.relative_to(root)}:{number}"
                match = INCLUDE.match(line)
                if match and match[1] in LAYERS and match[1] not in allowed | {layer}:
                    yield f"{where}: {layer} must not include {match[1]}"
                if forbidden and forbidden.match(line):
                    yield f"{where}: {layer} must not use {line.strip()}"


def main():
    bad = list(violations(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
    print("\n".join(bad) if bad else "layers: as docs/architecture.md draws them")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
