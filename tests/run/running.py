# SPDX-License-Identifier: MIT
"""An `e3 run` for tests: a scenario of the test's own, its result, its processes."""
import glob
import json
import os
import signal
import subprocess
import sys
import time

import jsonschema

import consistency

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "hosts"))
import residue

HOME = os.environ["E3_HOME"]
MATRIX = os.path.join(HOME, "scenarios/matrices/azure-2026-07.json")


def scenario(folder, **changes):
    """Writes a small scenario; returns its path. A value of None takes a key out."""
    document = {
        "$schema": "e3/scenario/v1", "name": "test", "description": "of a test",
        "parties": {"count": 3, "regions": ["ams", "lon"]},
        "network": {"matrix": MATRIX},
        "transports": [{"plugin": "tcp"}],
        "workloads": [{"name": "rounds", "sizes": ["20"]}],
        "runs": {"blocks": 1, "timeout_s": 60, "reruns": 0},
        "seed": 7,
    }
    document.update(changes)
    path = os.path.join(folder, "test.json")
    with open(path, "w", encoding="utf-8") as out:
        json.dump({key: value for key, value in document.items() if value is not None}, out)
    return path


def validate(document):
    with open(os.path.join(HOME, "docs/schema/result.schema.json"), encoding="utf-8") as text:
        schema = json.load(text)
    jsonschema.Draft202012Validator(schema).validate(document)
    found = consistency.problems(document)
    assert not found, found[:5]


class Run:
    """A run in the background; its result folder is its own."""

    def __init__(self, program, path, folder, *more, **popen):
        self.results = os.path.join(folder, "results")
        self.process = subprocess.Popen(
            [program, "run", path, "--results", self.results, *more], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=open(os.path.join(folder, "stderr"), "w", encoding="utf-8"), **popen)
        self.stderr_path = os.path.join(folder, "stderr")

    def stderr(self):
        with open(self.stderr_path, encoding="utf-8") as text:
            return text.read()

    def end(self, deadline_s=240):
        """(exit code, stdout, stderr)"""
        try:
            out, _ = self.process.communicate(timeout=deadline_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, _ = self.process.communicate()
            return None, out, self.stderr()
        return self.process.returncode, out, self.stderr()

    def result(self):
        """The one result document, or None."""
        found = glob.glob(self.results + "/*.json")
        if len(found) != 1:
            return None
        with open(found[0], encoding="utf-8") as text:
            return json.load(text)

    def pids(self, name):
        """Descendants whose process name or command line holds `name`."""
        return [pid for pid in residue.descendants(self.process.pid) if self.matches(pid, name)]

    @staticmethod
    def matches(pid, name):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as text:
                line = text.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return False
        return name in line or name in residue.name_of(pid)

    def wait_for(self, condition, deadline_s=120):
        end = time.monotonic() + deadline_s
        while time.monotonic() < end and self.process.poll() is None:
            if condition():
                return True
            time.sleep(0.01)
        return False

    def wait_for_parties(self, count, deadline_s=120):
        """Until the party processes themselves (not their leases) run."""
        return self.wait_for(lambda: len(self.parties()) == count, deadline_s)

    def parties(self):
        return [pid for pid in self.pids("e3 party") if not self.matches(pid, "lease")]

    def kill(self, pid, number=signal.SIGKILL):
        os.kill(pid, number)
