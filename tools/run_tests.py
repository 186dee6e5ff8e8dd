#!/usr/bin/env python3
"""Run the test programs meson knows, count what each TAP line says, end with one line.

usage: run_tests.py [--build DIR] [--sanitize-build DIR] [--emulator COMMAND] [NAME...]

The release build runs every test; the sanitizer build runs those of the suites in
SANITIZED (not `privacy`: millions of runs of code that other suites cover). A test program speaks TAP: `ok`, `not ok`, and `ok ... # SKIP why`.
A program that ends badly or says nothing is one failure.

With --emulator, for a build for another kind of processor, its test programs are run by
COMMAND, with ten times their time; what isn't a program of the build (Python) is left out,
by name.
"""
import argparse
import concurrent.futures
import json
import os
import re
import signal
import subprocess
import sys
import time

SANITIZED = {"unit", "conformance", "fuzz"}
TAP = re.compile(r"^(not )?ok\b(?:\s+\d+)?(?:\s*-\s*)?(.*)$")
SKIP = re.compile(r"#\s*skip\b:?\s*(.*)", re.IGNORECASE)
WHY = re.compile(r"^# skip: (.*)$", re.MULTILINE)
SUITE_WIDTH = 12
EMULATOR_PATIENCE = 10
PATIENCE = 4  # times a test's limit: it ends a hang, and a busy machine is none
LAST_LINES = 60  # of a failed program's output


def tests_of(build, label, suites):
    listed = subprocess.run(["meson", "introspect", "--tests", build],
                            check=True, capture_output=True, text=True).stdout
    for test in json.loads(listed):
        suite = test["suite"][0].split(":")[-1] if test["suite"] else "unit"
        if suites is None or suite in suites:
            # As `meson test` does; introspection names programs relative to the build.
            yield {**test, "suite": suite, "label": label,
                   "timeout": PATIENCE * test["timeout"],
                   "workdir": test.get("workdir") or os.path.abspath(build)}


def emulated(test, build, emulator):
    if not os.path.realpath(test["cmd"][0]).startswith(os.path.realpath(build) + os.sep):
        print(f"left out, no program of the build: {test['name']}")
        return None
    return {**test, "label": "emulated", "cmd": emulator.split() + test["cmd"],
            "timeout": EMULATOR_PATIENCE * test["timeout"]}


def run(test):
    env = {**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP", **test["env"],
           "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0",
           "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
    began = time.monotonic()
    with subprocess.Popen(test["cmd"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, env=env, cwd=test["workdir"],
                          start_new_session=True) as process:
        try:
            output, _ = process.communicate(timeout=test["timeout"])
            ended = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            ended = f"no end within {test['timeout']} s"
    return judge(test, output.decode(errors="replace"), ended, time.monotonic() - began)


def judge(test, output, ended, seconds):
    passed, failed, skips = 0, [], []
    reasons = WHY.findall(output)
    for line in output.splitlines():
        match = TAP.match(line)
        if not match:
            continue
        skip = SKIP.search(match[2])
        if skip:  # cmocka says `not ok N # SKIP name`
            skips.append((match[2].split("#")[0].strip() or skip[1].strip(), skip[1].strip()))
        elif match[1]:
            failed.append(match[2].strip())
        else:
            passed += 1
    skips = [(name, reasons[i] if i < len(reasons) else why or "no reason given")
             for i, (name, why) in enumerate(skips)]
    for name, why in skips:
        if why == "no reason given":
            failed.append(f"{name}: skipped without a reason")
    if ended != 0 and not failed:
        failed.append(f"ended with {ended}")
    if not passed and not failed and not skips:
        failed.append("ran no test")
    return {"test": test, "passed": passed, "failed": failed, "skips": skips,
            "output": output, "seconds": seconds}


def show(result):
    test = result["test"]
    state = "FAILED" if result["failed"] else "ok"
    print(f"{test['label']:9s} {test['suite']:{SUITE_WIDTH}s} {test['name']:28s} {state:6s} "
          f"{result['passed']:5d} passed {result['seconds']:7.1f} s", flush=True)
    for name, why in result["skips"]:
        print(f"    skipped {name}: {why}", flush=True)
    show_failures(result)


def show_failures(result):
    for name in result["failed"]:
        print(f"    failed: {name}", flush=True)
    if result["failed"]:
        print("    | " + "\n    | ".join(result["output"].splitlines()[-LAST_LINES:]), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build")
    parser.add_argument("--sanitize-build")
    parser.add_argument("--emulator")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    tests = []
    if args.build:
        tests += tests_of(args.build, "gcc", None)
    if args.sanitize_build:
        tests += tests_of(args.sanitize_build, "clang+san", SANITIZED)
    tests = [t for t in tests
             if not args.names or any(n in t["name"] or n == t["suite"] for n in args.names)]
    if args.emulator:
        tests = [t for t in (emulated(t, args.build, args.emulator) for t in tests) if t]
    if not tests:
        print("no test has such a name", file=sys.stderr)
        return 2
    results = []
    began = time.monotonic()
    side_by_side = [t for t in tests if t["is_parallel"]]
    alone = [t for t in tests if not t["is_parallel"]]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run, t) for t in side_by_side]):
            results.append(done.result())
            show(results[-1])
    for test in alone:
        results.append(run(test))
        show(results[-1])
    # Once more at the end: who keeps only the tail of the output still sees why.
    for result in (r for r in results if r["failed"]):
        print(f"\nFAILED: {result['test']['label']} {result['test']['name']}")
        show_failures(result)
    failed = sum(len(r["failed"]) for r in results)
    print(f"{time.monotonic() - began:.0f} s")
    print(f"{sum(r['passed'] for r in results)} passed, {failed} failed, "
          f"{sum(len(r['skips']) for r in results)} skipped")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
