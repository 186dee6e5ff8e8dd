#!/usr/bin/env python3
"""Our histogram payloads against PyPI's `hdrhistogram`, another implementation of the format.

usage: test_other_decoder.py HISTOGRAM_TEXT CACHE GOLDEN [--golden]

The package is fetched once into CACHE. --golden writes GOLDEN instead: payloads made by
the other implementation, which test_histogram_codec.c reads whether or not a registry can
be reached.
"""
import base64
import json
import pathlib
import subprocess
import sys
import zlib

PACKAGE = "hdrhistogram==0.10.8"
HIGHEST = 3600000000000
HEADER = 40


def sets():
    """name -> {value: count}; every power of two, its neighbours, runs of empty buckets."""
    yield "empty", {}
    yield "zero", {0: 1}
    yield "one round of 20 ms", {20000000: 17}
    yield "one hour", {HIGHEST: 1}
    yield "thousand neighbours", {value: 1 for value in range(1000, 2000)}
    yield "edges", {edge: 1 + edge % 3 for bit in range(1, 42) for edge in
                    (2 ** bit - 1, 2 ** bit, 2 ** bit + 1) if edge <= HIGHEST}
    state, mixed = 1, {}
    for i in range(1200):
        state = (6364136223846793005 * state + 1442695040888963407) % 2 ** 64
        value = (state >> 20) % (1 << (1 + i % 41))
        mixed[value] = mixed.get(value, 0) + 1 + (state >> 60)
    yield "mixed", mixed


def fetch(cache):
    if not (cache / "hdrh").is_dir():
        try:
            got = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps",
                                  "--timeout", "10", "--retries", "1", "--target", str(cache), PACKAGE],
                                 capture_output=True, text=True, timeout=60)
        except subprocess.TimeoutExpired:
            return "no answer within 60 s"
        if got.returncode:
            return (got.stderr.strip().splitlines() or ["pip failed"])[-1]
    sys.path.insert(0, str(cache))
    return None


def theirs(values):
    from hdrh.histogram import HdrHistogram
    histogram = HdrHistogram(1, HIGHEST, 3)
    for value, count in values.items():
        histogram.record_value(value, count)
    return histogram


def buckets(histogram):
    """lowest value of a bucket -> count, as the other implementation sees it."""
    return {histogram.get_lowest_equivalent_value(item.value_iterated_to): item.count_at_value_iterated_to
            for item in histogram.get_recorded_iterator()}


def tool(program, verb, text):
    return subprocess.run([program, verb], input=text, check=True, capture_output=True, text=True).stdout


def plain(payload):
    return zlib.decompress(base64.b64decode(payload)[8:])


def compare(program, name, values):
    from hdrh.histogram import HdrHistogram
    ours = tool(program, "encode", "".join(f"{v} {c}\n" for v, c in values.items())).strip()
    other = theirs(values)
    payload = other.encode().decode()
    read_by_them = HdrHistogram.decode(ours.encode())
    read_by_us = dict(map(int, line.split()) for line in tool(program, "decode", payload + "\n").splitlines())
    yield "they read what we write", buckets(read_by_them) == buckets(other)
    yield "we read what they write", read_by_us == buckets(other)
    # A lone empty bucket is a count of 0 here, as in Java, and a run of one there: both one byte.
    yield "both write the same header and length", (
        plain(ours)[:HEADER] == plain(payload)[:HEADER] and len(plain(ours)) == len(plain(payload)))
    yield "counts are all there", sum(read_by_us.values()) == sum(values.values())


def main():
    program, cache, golden = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    why = fetch(cache)
    if why:
        print(f"ok - payloads against another implementation # SKIP {PACKAGE} can't be had: {why}")
        return 0
    if "--golden" in sys.argv:
        golden.write_text(json.dumps(
            [{"name": name, "made_by": PACKAGE, "values": list(map(list, values.items())),
              "payload": theirs(values).encode().decode()} for name, values in sets()],
            separators=(",", ":")).replace('{"name"', '\n{"name"') + "\n")
        return 0
    failed = 0
    for name, values in sets():
        for what, holds in compare(program, name, values):
            print(f"{'ok' if holds else 'not ok'} - {name}: {what}")
            failed += not holds
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
