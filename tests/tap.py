# SPDX-License-Identifier: MIT
"""TAP lines of a test in Python; tap.h is for those in C."""


class Tap:
    """check(): one line. end(): the plan, and the exit status."""

    def __init__(self):
        self.n_bad = self.n = 0

    def check(self, good, name, detail=""):
        self.n += 1
        self.n_bad += not good
        for line in [] if good else str(detail).splitlines():
            print(f"# {line}")
        print(f"{'ok' if good else 'not ok'} {self.n} - {name}", flush=True)
        return good

    def skip(self, name, why):
        self.n += 1
        print(f"ok {self.n} - {name} # SKIP {why}", flush=True)

    def end(self):
        print(f"1..{self.n}")
        return bool(self.n_bad)
