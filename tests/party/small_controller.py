"""A controller in a page: starts `e3 party` processes on this machine and speaks party_message.h.

It runs the same life cycle as harness/control/crew, so that a test can stop, lie or kill at
any point of it. No SSH, no emulated WAN.
"""
import json
import os
import select
import subprocess
import time

HOME = os.environ["E3_HOME"]


class Party:
    def __init__(self, program, plan):
        self.plan = plan
        self.process = subprocess.Popen([program, "party"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.buffer = b""
        self.said = {}
        self.errors = []

    def send(self, message):
        self.send_bytes(json.dumps(message).encode() + b"\n")

    def send_bytes(self, data):
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except BrokenPipeError:
            pass


class Crew:
    """Parties 0..n-1 of one cell, all on 127.0.0.1. `changes` are to the plan of all,
    `of_party` (number -> changes) to that of one."""

    def __init__(self, program, n, of_party=None, **changes):
        self.parties = []
        for p in range(n):
            plan = {"t": "plan", "party": p, "parties": n, "addresses": ["127.0.0.1"] * n,
                    "transport": "tcp", "options": [], "workload": "secret-santa",
                    "size": "4", "field_bits": 61, "seed": "1", "images": 0,
                    "probe_rate_hz": 0, "probe_bytes": 64, "step_ms": 10000, "round_ms": 5000}
            plan.update(changes)
            plan.update((of_party or {}).get(p, {}))
            self.parties.append(Party(program, plan))
        for party in self.parties:
            party.send(party.plan)

    def pump(self, seconds):
        """Read what has come for at most `seconds`; hand signals round."""
        by_fd = {p.process.stdout.fileno(): p for p in self.parties if not p.process.stdout.closed}
        ready, _, _ = select.select(list(by_fd), [], [], seconds)
        for fd in ready:
            party = by_fd[fd]
            data = os.read(fd, 1 << 20)
            if not data:
                party.process.stdout.close()
                continue
            *lines, party.buffer = (party.buffer + data).split(b"\n")
            for line in lines:
                self.heard(party, json.loads(line))

    def heard(self, party, message):
        kind = message["t"]
        if kind == "signal":
            to = message.pop("to")
            message["from"] = party.plan["party"]
            self.parties[to].send(message)
        elif kind == "error":
            party.errors.append(message)
        else:
            party.said[kind] = message

    def until(self, condition, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0 or all(p.process.stdout.closed for p in self.parties):
                return condition()
            self.pump(min(left, 0.5))
        return True

    def all_said(self, kind, seconds=60):
        return self.until(lambda: all(kind in p.said for p in self.parties), seconds)

    def tell(self, kind, **more):
        for party in self.parties:
            party.send({"t": kind, **more})

    def reach_open(self):
        assert self.all_said("prepared"), self.complaints()
        self.tell("cards", cards=[{"card": p.said["prepared"]["card"]} for p in self.parties])
        assert self.all_said("up"), self.complaints()
        assert self.all_said("open"), self.complaints()

    def run(self, seconds=60):
        self.reach_open()
        self.tell("go")
        assert self.all_said("report", seconds), self.complaints()
        self.hang_up()
        self.tell("down")
        assert self.all_said("closed"), self.complaints()
        return [p.process.wait(timeout=60) for p in self.parties]

    def hang_up(self):
        self.tell("close")
        assert self.all_said("hung_up"), self.complaints()

    def complaints(self):
        return [(p.plan["party"], p.errors, sorted(p.said)) for p in self.parties]

    def end(self, seconds=60):
        """Exit codes; what has not ended by then is killed and counts as None."""
        deadline = time.monotonic() + seconds
        codes = []
        while time.monotonic() < deadline and any(not p.process.stdout.closed for p in self.parties):
            self.pump(0.2)
        for party in self.parties:
            try:
                codes.append(party.process.wait(timeout=max(0.1, deadline - time.monotonic())))
            except subprocess.TimeoutExpired:
                party.process.kill()
                party.process.wait()
                codes.append(None)
        return codes
