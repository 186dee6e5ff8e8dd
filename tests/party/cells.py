"""Cells for benchmarks: computations by real `e3 party` processes over TCP on loopback.

All parties share this machine's cores. Every answer is checked: all parties must say what one
party alone says, which holds everything in the clear.
"""
import base64
import os
import pathlib
import shutil
import statistics
import tempfile
import zlib

from small_controller import HOME, Crew

ROUND_MS = 60000
CELL_SECONDS = 120


def began_ns(report):
    """When the first phase began, by the clock that all processes here share: the first number
    of the trace (harness/measure/trace.c), seven bits a byte, after cookie and length."""
    number = shift = 0
    for byte in zlib.decompress(base64.b64decode(report["measured"]["trace"])[8:]):
        number |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            return number
    raise ValueError("a trace without a beginning")


def phase_ends(report):
    """name -> (begin, end) in nanoseconds of that clock."""
    at, ends = began_ns(report), {}
    for phase in report["measured"]["phases"]:
        ends[phase["name"]] = (at, at + phase["wall_ns"])
        at += phase["wall_ns"]
    return ends


class Cell:
    """One computation: a report of each party."""

    def __init__(self, reports):
        self.reports = reports
        self.phases = [r["measured"]["phases"] for r in reports]
        self.ends = [phase_ends(r) for r in reports]

    def names(self, after=None):
        """Phases that come after the one named, or all, in order."""
        names = [phase["name"] for phase in self.phases[0]]
        return names[names.index(after) + 1:] if after else names

    def _of(self, names, key):
        return [sum(p[key] for p in phases if p["name"] in names) for phases in self.phases]

    def wall_ms(self, names):
        """From when the last party begins the first of these phases, which follow one another,
        until the last party ends the last."""
        begin = max(ends[names[0]][0] for ends in self.ends)
        return (max(ends[names[-1]][1] for ends in self.ends) - begin) / 1e6

    def compute_ms(self, names):
        """Of the party that computes most. Time between rounds counts being preempted by another
        party, CPU time the work of waiting: the smaller of the two is a bound from above."""
        return max(sum(min(p["compute_ns"], p["cpu_ns"]) for p in phases if p["name"] in names)
                   for phases in self.phases) / 1e6

    def cpu_ms(self, names):
        """Of all parties."""
        return sum(self._of(names, "cpu_ns")) / 1e6

    def rounds(self, names):
        return max(self._of(names, "rounds"))

    def bytes_a_party(self, names):
        return max(self._of(names, "app_bytes_out"))

    def rss_max_bytes(self):
        return max(r["process"]["rss_max_bytes"] for r in self.reports)

    def round_ns(self):
        """Mean over the whole run, of the slowest party."""
        return max(r["phases_ns"]["run"] / r["measured"]["rounds"] for r in self.reports)


class Cells:
    """A folder with the program and its inputs. Use it with `with`."""

    def __init__(self, program):
        self.folder = tempfile.TemporaryDirectory(prefix="e3-cells-")
        self.program = str(pathlib.Path(self.folder.name) / "e3")
        self.alone = {}
        shutil.copy(program, self.program)
        for name in ("model.bin", "digits.idx"):
            shutil.copy(pathlib.Path(HOME) / "data/cnn" / name, self.folder.name)
        os.environ.setdefault("E3_PLUGIN_PATH", str(pathlib.Path(program).resolve().parent))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def _reports(self, parties, changes):
        of_party = {}
        if changes["workload"] == "cnn-mnist":
            of_party[0] = {"model_file": "model.bin"}
            of_party.setdefault(1 % parties, {})["images_file"] = "digits.idx"
            changes = {"images": int(changes["size"]), **changes}
        crew = Crew(self.program, parties, of_party, round_ms=ROUND_MS, **changes)
        if crew.run(CELL_SECONDS) != [0] * parties:
            raise SystemExit(f"a party failed: {crew.complaints()}")
        return [p.said["report"] for p in crew.parties]

    def _check(self, reports, changes):
        task = tuple(sorted((k, v) for k, v in changes.items() if k != "mode"))
        if changes["workload"] in ("cnn-mnist", "multiplications"):
            if task not in self.alone:
                self.alone[task] = self._reports(1, changes)[0]["output"]["values"]
            expected = self.alone[task]
        else:
            expected = reports[0]["output"]["values"]
        if any(r["output"]["values"] != expected for r in reports):
            raise SystemExit(f"wrong answer: {changes}, {len(reports)} parties")

    def run(self, parties, **changes):
        """One cell; `changes` are to the plan of all (workload, size, mode, seed)."""
        reports = self._reports(parties, changes)
        self._check(reports, changes)
        return Cell(reports)

    def runs(self, n, parties, **changes):
        """n cells, after one that isn't counted: memory that was not in use for a while is slow
        when it is touched first, above all in a virtual machine."""
        return [self.run(parties, **changes) for _ in range(n + 1)][1:]


def median(cells, figure):
    return statistics.median(figure(cell) for cell in cells)
