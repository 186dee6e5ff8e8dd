#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: test_run.py E3: whole runs, what they say, and what each fault becomes."""
import copy
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import consistency
from running import HOME, Run, residue, scenario, validate
from held_hosts import Tap, skip_unless_root

PROGRAM = os.path.realpath(sys.argv[1])
N_KILLS = int(os.environ.get("E3_TEST_KILLS", "6"))
RUNS_MAX = 3
LONG = [{"name": "rounds", "sizes": ["2000"]}]  # 2000 rounds of 6 to 10 ms: many seconds


def complain(tap, good, name, run_end):
    code, out, err = run_end
    return tap.check(good, name, f"exit {code}\n{out}\n{err}")


def audited(tap, name):
    """Runs a test in a folder of its own and looks at what it leaves behind."""
    def decorate(function):
        def wrapped():
            with tempfile.TemporaryDirectory(prefix="e3-run-") as folder:
                before = residue.snapshot(folders=[f for f in residue.FOLDERS])
                function(folder)
                left = [item for item in residue.settled(before) if folder not in item]
                if not tap.check(not left, f"{name}: nothing stays", "\n".join(left)):
                    residue.end_descendants()
        wrapped()
        return wrapped
    return decorate


def test_success(tap):
    @audited(tap, "a run over tcp")
    def _(folder):
        path = scenario(folder, workloads=[{"name": "rounds", "sizes": ["20"]},
                                           {"name": "secret-santa", "mode": "mpyc", "sizes": ["low"]}],
                        probes={"rate_hz": 50, "bytes": 64})
        run = Run(PROGRAM, path, folder)
        end = run.end()
        complain(tap, end[0] == 0, "ends with 0", end)
        result = run.result()
        tap.check(result is not None and result["status"] == "complete", "one complete result")
        validate(result)
        tap.check(True, "valid against its schema")
        look_at_cells(tap, result)
        look_for_damage(tap, result)
        tap.check("\033" not in end[1] + end[2], "no escape codes without a terminal", end[1])
        tap.check("results/" in end[1] and "rounds" in end[1], "a table and the path", end[1])
        tap.check(os.listdir(run.results) == [os.path.basename(next(iter(
            name for name in os.listdir(run.results) if name.endswith(".json"))))],
            "the journal is gone", os.listdir(run.results))


def look_at_cells(tap, result):
    cells = {cell["cell"]["workload"]: cell for cell in result["cells"]}
    rounds = cells["rounds"]
    tap.check(rounds["status"] == "ok", "the cell is ok", rounds["status"])
    text = json.dumps(rounds)
    tap.check('"rounds": 20' in text, "20 rounds are 20 rounds", text[:2000])
    tap.check(result["null"] != [], "the null run is there")


def look_for_damage(tap, result):
    """Each figure made one greater: consistency.py, which validate() asks, must see it."""
    def block(document):
        return document["cells"][0]["blocks"][0]

    def party(document):
        return block(document)["hosts"]["host1"]["report"]["measured"]

    for where, key in ((lambda d: block(d)["figures"], "rounds"), (lambda d: block(d)["figures"], "app_bytes"),
                       (lambda d: block(d)["figures"]["decomposition"], "rest_ns"),
                       (lambda d: block(d)["figures"], "network_efficiency"),
                       (lambda d: block(d)["figures"], "setup_ns"), (lambda d: d["null"][0], "rounds"),
                       (lambda d: d["cells"][0]["figures"]["wall_ns"], "max"),
                       (lambda d: d["cells"][0]["figures"]["round_ns"], "count"),
                       (party, "wall_ns"), (lambda d: party(d)["pairs"][0], "messages_in"),
                       (lambda d: party(d)["phases"][-1], "app_bytes_out"),
                       (lambda d: party(d)["histograms"][0], "count")):
        damaged = copy.deepcopy(result)
        where(damaged)[key] += 1
        tap.check(consistency.problems(damaged) != [], f"{key} that is one greater is noticed", key)


def test_json_and_quiet(tap):
    @audited(tap, "--json")
    def _(folder):
        run = Run(PROGRAM, scenario(folder), folder, "--json")
        end = run.end()
        good = end[0] == 0 and isinstance(json.loads(end[1]), dict)
        complain(tap, good and end[2] == "", "--json: JSON and nothing else", end)

    @audited(tap, "--quiet")
    def _(folder):
        run = Run(PROGRAM, scenario(folder), folder, "--quiet")
        end = run.end()
        complain(tap, end[0] == 0 and end[2] == "", "--quiet: no progress", end)


def test_closed_files(tap):
    @audited(tap, "a run without standard input and errors")
    def _(folder):
        run = Run(PROGRAM, scenario(folder), folder, preexec_fn=lambda: (os.close(0), os.close(2)))
        end = run.end()
        complain(tap, end[0] == 0 and run.result() is not None, "ends with 0 and a result", end)
        validate(run.result())


def test_part_of_a_scenario(tap):
    """What is filtered out needn't be there."""
    @audited(tap, "a part")
    def _(folder):
        path = scenario(folder, transports=[{"plugin": "tcp"}, {"plugin": "nowhere"}])
        run = Run(PROGRAM, path, folder, "--transport", "tcp", "--blocks", "2")
        end = run.end()
        result = run.result()
        complain(tap, end[0] == 0, "a part of a scenario runs", end)
        tap.check(result is not None and [len(c["blocks"]) >= 2 for c in result["cells"]] == [True],
                  "one cell, two blocks")


def test_effective_rounds(tap):
    """The wall time grows by the workload's dependent rounds when delays do; AMS to NYC, 45 ms.

    Times that are off in a run with tainted blocks are looked at in another, RUNS_MAX times in all."""
    @audited(tap, "delays times 0, 1, 2")
    def _(folder):
        path = scenario(folder, parties={"count": 3, "regions": ["ams", "nyc"]},
                        workloads=[{"name": "rounds", "sizes": ["30"]}],
                        runs={"blocks": 2, "delay_scales": [0, 1, 2], "timeout_s": 60})
        for _ in range(RUNS_MAX):
            run = Run(PROGRAM, path, folder)
            end = run.end()
            result = run.result()
            if not complain(tap, end[0] == 0 and result is not None, "a run at three delay scales ends well", end):
                return
            validate(result)
            cell = result["cells"][0]
            taints = [taint["code"] for block in cell["blocks"] for taint in block["taints"]]
            times = effective_times(cell["figures"])
            if all(good for good, _, _ in times) or not taints:
                break
            shutil.rmtree(run.results)
        order = [block["delay_scale"] for block in cell["blocks"] if block["attempt"] == 0]
        tap.check(order == [0, 1, 2, 1, 2, 0], "scales take turns", order)
        for good, name, seen in times:
            if good or not taints:
                tap.check(good, name, seen)
            else:
                tap.skip(name, f"the machine was too busy in every run: {seen}, taints {taints}")
        slope = cell["figures"]["effective_rounds"]
        tap.check([(s["delay_scale"], s["longest_one_way_ns"]) for s in slope["scales"]] ==
                  [(0, 0), (1, 45000000), (2, 90000000)], "over the longest one-way delays", slope)
        tap.check(30 * 45e6 < cell["figures"]["wall_ns"]["min"], "and not of shorter ones", cell["figures"])
        tap.check("delays x 2" in end[2] and "effective" in end[1], "progress and a table tell of it", end)


def effective_times(figures):
    """(is as it should be, what, what was seen), of times alone."""
    slope, wall = figures["effective_rounds"], figures["wall_ns"]
    return [
        (slope is not None and abs(slope["rounds"] / 30 - 1) < 0.02,
         "effective rounds are the dependent rounds, within 2 %", slope),
        (wall["max"] < 30 * 60e6, "other figures are of delays as they are, not of longer ones", wall),
    ]


def test_reruns(tap):
    """A machine that computes something else taints every block."""
    if not os.path.exists("/proc/pressure/cpu"):
        tap.skip("reruns", "this kernel tells no pressure")
        return
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * os.cpu_count())]
    try:
        for more, reruns, attempts in (((), 2, [0, 1, 2]), (("--no-reruns",), 2, [0]), ((), 0, [0])):
            rerun(tap, more, reruns, attempts)
    finally:
        for other in others:
            other.kill()
            other.wait()


def rerun(tap, more, reruns, attempts):
    name = f"reruns: {reruns} {' '.join(more)}"

    @audited(tap, name)
    def _(folder):
        path = scenario(folder, workloads=[{"name": "rounds", "sizes": ["100"]}], runs={"blocks": 1, "reruns": reruns})
        run = Run(PROGRAM, path, folder, *more)
        end = run.end()
        result = run.result()
        complain(tap, end[0] == 0 and result is not None, f"{name}: ends well", end)
        found = [block["attempt"] for block in result["cells"][0]["blocks"]]
        notes = [note for note in result["notes"] if "once more" in note]
        tap.check(found == attempts and len(notes) == (len(attempts) > 1) and
                  end[2].count("once more") == len(attempts) - 1, f"{name}: attempts {attempts}", (found, notes, end[2]))


def test_interrupt(tap):
    @audited(tap, "Ctrl-C")
    def _(folder):
        run = Run(PROGRAM, scenario(folder, workloads=[{"name": "rounds", "sizes": ["20", "2000"]}]), folder)
        if not (run.wait_for(lambda: "[ 1/2]" in run.stderr()) and run.wait_for_parties(3)):
            complain(tap, False, "Ctrl-C finds the second cell under way", run.end(1))
            return
        run.kill(run.process.pid, signal.SIGINT)
        began = time.monotonic()
        end = run.end()
        complain(tap, end[0] == 130 and time.monotonic() - began < 20, "Ctrl-C ends it in order", end)
        result = run.result()
        validate(result)
        statuses = sorted(cell["status"] for cell in result["cells"])
        tap.check(result["status"] == "partial" and "ok" in statuses, "a valid partial result", statuses)


def test_interrupt_twice(tap):
    @audited(tap, "Ctrl-C twice while the null run computes for minutes")
    def _(folder):
        run = Run(PROGRAM, scenario(folder, workloads=[{"name": "cnn-mnist", "sizes": ["high"], "field_bits": 512}],
                                    runs={"blocks": 1, "timeout_s": 80000}), folder)
        run.wait_for(lambda: "connected" in run.stderr())
        run.kill(run.process.pid, signal.SIGINT)
        run.wait_for(lambda: False, 1)  # two signals at once are one
        tap.check(run.process.poll() is None, "Ctrl-C once waits for it")
        run.kill(run.process.pid, signal.SIGINT)
        end = run.end(30)
        complain(tap, end[0] == 130, "exit 130, at once", end)


def test_kill_controller(tap):
    for number in range(N_KILLS):
        after_s = random.Random(number).uniform(0.02, 2.5)

        @audited(tap, f"kill -9 of the controller after {after_s:.2f} s")
        def _(folder, after_s=after_s):
            run = Run(PROGRAM, scenario(folder, workloads=LONG), folder)
            time.sleep(after_s)  # a random moment is what is tested
            run.process.kill()
            run.end()


def e3(folder, *arguments):
    """(exit code, stdout, stderr) of another command, in the folder where results/ is."""
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, cwd=folder, timeout=60,
                          check=False)
    return done.returncode, done.stdout, done.stderr


def test_recover(tap):
    @audited(tap, "a killed run and what is left of it")
    def _(folder):
        path = scenario(folder, workloads=[{"name": "rounds", "sizes": ["20", "2000"]}],
                        runs={"blocks": 2, "timeout_s": 60, "reruns": 0})
        run = Run(PROGRAM, path, folder)
        run.wait_for(lambda: "[ 1/4]" in run.stderr())
        run.wait_for_parties(3)
        busy = e3(folder, "recover", *journals(run))
        complain(tap, busy[0] == 2 and "is at it still" in busy[2], "a run under way is let alone", busy)
        run.process.kill()
        run.end()
        tap.check(len(journals(run)) == 1 and run.result() is None, "a journal is left, and no result")
        end = e3(folder, "doctor")
        complain(tap, "e3 recover" in end[1] and os.path.basename(journals(run)[0]) in end[1], "doctor tells of it", end)
        end = e3(folder, "run", path, "--transport", "nowhere")
        complain(tap, end[0] == 2 and os.path.basename(journals(run)[0]) in end[2], "the next run, too", end)
        with open(journals(run)[0], "a", encoding="utf-8") as journal:
            journal.write('{"t":"block","at":"2026')
        end = e3(folder, "recover")
        complain(tap, end[0] == 0 and "partial" in end[1] and "result: results/" in end[1]
                 and "blocks still to run" in end[1], "recover makes a result of it", end)
        look_at_recovered(tap, run)
        end = e3(folder, "recover")
        complain(tap, end[0] == 0 and "no journal is left behind" in end[1], "once", end)


def journals(run):
    return [os.path.join(run.results, name) for name in os.listdir(run.results) if name.endswith(".journal.jsonl")]


def look_at_recovered(tap, run):
    result = run.result()
    validate(result)
    cells = {cell["cell"]["size"]: cell for cell in result["cells"]}
    tap.check(result["status"] == "partial" and "recovered" in result["reason"], "a valid partial result")
    tap.check(cells["20"]["status"] == "ok" and len(cells["20"]["blocks"]) >= 1
              and cells["20"]["figures"]["rounds"]["median"] == 20, "with the block that was measured")
    tap.check(cells["2000"]["status"] == "not_run" and cells["2000"]["blocks"] == [], "and the cell that was not")
    missing = [[t["value"] for t in cell["taints"] if t["code"] == "controller_ended"] for cell in
               (cells["20"], cells["2000"])]
    tap.check(missing == [[1], [2]], "cells say how many blocks they lack", missing)
    tap.check(any("torn" in note for note in result["notes"]), "the torn line is told of", result["notes"])
    tap.check(result["calibration"]["pairs"] != [] and result["null"] != [] and "host2" in result["environment"],
              "calibration, null runs and hosts are there")
    tap.check(journals(run) == [], "the journal is gone")


def broken(tap, name, victim, words, expect_code=4):
    @audited(tap, name)
    def _(folder):
        run = Run(PROGRAM, scenario(folder, workloads=LONG), folder)
        run.wait_for_parties(3)
        time.sleep(0.3)  # into the rounds; earlier is as good
        pids = victim(run)
        tap.check(len(pids) >= 1, f"{name}: found", f"{pids}")
        for pid in pids[:1]:
            run.kill(pid)
        began = time.monotonic()
        end = run.end()
        said = end[1] + end[2]
        complain(tap, end[0] == expect_code and time.monotonic() - began < 40,
                 f"{name}: exit {expect_code}", end)
        complain(tap, re.search(words, said) is not None, f"{name}: says /{words}/", end)
        validate(run.result())


def test_faults(tap):
    broken(tap, "emulator killed", lambda run: run.pids("e3-wan") or run.pids("e3 wan"), "emulator")
    broken(tap, "party killed", lambda run: run.parties()[1:2], r"party \d on host\d.*signal")
    broken(tap, "sshd killed", sshd_master, r"host\d")
    broken(tap, "host killed", host_init, r"host\d")


def host_init(run):
    """The processes that are PID 1 of their own namespace."""
    return [pid for pid in residue.descendants(run.process.pid) if inner_pid(pid) == ["1"]][:1]


def sshd_master(run):
    return [pid for pid in run.pids("sshd") if inner_pid(pid) and run.matches(pid, "-D")]


def inner_pid(pid):
    for line in residue.lines(f"/proc/{pid}/status"):
        if line.startswith("NSpid:"):
            return line.split()[2:]
    return []


REFUSALS = [
    ("malformed JSON", lambda d: '{"name": ', r"test\.json.*line 1"),
    ("unknown key", {"colour": 1}, r"test\.json.*colour"),
    ("unknown region", {"parties": {"count": 2, "regions": ["atlantis"]}}, "atlantis"),
    ("0 parties", {"parties": {"count": 0, "regions": ["ams"]}}, "count"),
    ("11 parties", {"parties": {"count": 11, "regions": ["ams"]}}, "count"),
    ("negative delay", {"network": {"matrix": None, "intra_region_one_way_us": -1}}, "intra_region"),
    ("missing plugin", {"transports": [{"plugin": "pigeon"}]}, "pigeon"),
    ("unknown option", {"transports": [{"plugin": "tcp", "options": {"prot": 1}}]}, "/transports/0/options: .*'prot'"),
    ("option out of range", {"transports": [{"plugin": "wireguard", "options": {"mtu": 9}}]},
     "/transports/0/options: .*mtu"),
    ("two fields", {"workloads": [{"name": "secret-santa", "sizes": ["low"], "field_bits": bits}
                                  for bits in (61, 127)]}, "/workloads/1: .*two fields"),
    ("unknown workload", {"workloads": [{"name": "chess", "sizes": ["low"]}]}, "chess"),
    ("unknown size", {"workloads": [{"name": "rounds", "sizes": ["huge"]}]}, "huge"),
]


def test_refusals(tap):
    for name, changes, words in REFUSALS:
        @audited(tap, name)
        def _(folder, name=name, changes=changes, words=words):
            path = scenario(folder)
            if callable(changes):
                with open(path, "w", encoding="utf-8") as out:
                    out.write(changes(None))
            else:
                if changes.get("network"):
                    changes["network"]["matrix"] = os.path.join(HOME, "scenarios/matrices/azure-2026-07.json")
                path = scenario(folder, **changes)
            end = Run(PROGRAM, path, folder).end(20)
            sentences = end[2].strip().splitlines()
            complain(tap, end[0] == 2 and len(sentences) == 1 and re.search(words, sentences[0]),
                     f"{name}: exit 2 and one sentence", end)


def limited(tap, name, code, words, prepare, **changes):
    @audited(tap, name)
    def _(folder):
        path = scenario(folder, **changes)
        os.makedirs(os.path.join(folder, "results"), exist_ok=True)
        run = Run(PROGRAM, path, folder, preexec_fn=lambda: prepare(folder))
        end = run.end()
        said = end[1] + end[2]
        complain(tap, end[0] == code and re.search(words, said) is not None,
                 f"{name}: exit {code}, says /{words}/", end)


def private_mounts():
    residue.check(residue.libc.unshare(residue.CLONE_NEWNS), "unshare")
    residue.mount("none", "/", None, residue.MS_REC | residue.MS_PRIVATE)


def hide_tun(_):
    private_mounts()
    residue.mount("tmpfs", "/dev/net", "tmpfs", 0)


def fill_results(folder):
    private_mounts()
    results = os.path.join(folder, "results")
    residue.mount("tmpfs", results, "tmpfs", 0, "size=16k")
    with open(os.path.join(results, "ballast"), "wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(b"x" * 4096)
        except OSError:
            pass


def be_nobody(folder):
    os.chmod(folder, 0o777)
    os.chmod(os.path.join(folder, "results"), 0o777)
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


def test_limits(tap):
    limited(tap, "no /dev/net/tun", 4, "/dev/net/tun", hide_tun)
    limited(tap, "full disk", 2, "(No space|full)", fill_results)
    if subprocess.run(["test", "-x", PROGRAM], check=False, user=65534, group=65534,
                      extra_groups=[]).returncode:
        tap.skip("no root", "the tree lies where another user may not look")
    else:
        limited(tap, "no root", 4, "(root|sudo)", be_nobody)
    limited(tap, "port in use", 4, r"port \d+", lambda folder: None,
            transports=[{"plugin": "tcp", "options": {"port": "22"}}])


def main():
    skip_unless_root()
    residue.enclose()
    tap = Tap()
    chosen = sys.argv[2:]
    for name, function in sorted(globals().items()):
        if name.startswith("test_") and (not chosen or name in chosen):
            function(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
