#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: test_up_down.py E3: hosts that `e3 up` keeps, used by stock ssh, and removed."""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import residue
from held_hosts import Tap, skip_unless_root, wait_until

E3 = os.path.realpath(sys.argv[1])
HOME = os.path.realpath(os.environ.get("E3_HOME", "."))
REGISTRY = "/run/e3"
MATRIX = "azure-2026-07.json"
RTT_MS = 14  # of ams and fra there
N_KILLS = 6
N_INTERRUPTS_MAX = 10


def e3(*arguments):
    """(exit status, both outputs)"""
    done = subprocess.run([E3, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
    return done.returncode, done.stdout


def write_scenario(name, parties=2):
    scenario = {"$schema": "e3/scenario/v1", "name": name,
                "parties": {"count": parties, "regions": ["ams", "fra"]},
                "network": {"matrix": MATRIX},
                "transports": [{"plugin": "tcp"}],
                "workloads": [{"name": "secret-santa", "sizes": ["low"]}], "seed": 1}
    os.makedirs("/tmp/scenarios", exist_ok=True)
    shutil.copy(f"{HOME}/scenarios/matrices/{MATRIX}", "/tmp/scenarios")
    with open(f"/tmp/scenarios/{name}.json", "w", encoding="utf-8") as out:
        json.dump(scenario, out)
    return f"/tmp/scenarios/{name}.json"


def config(name):
    return f"{REGISTRY}/{name}/ssh_config"


def ssh(name, *command):
    done = subprocess.run(["ssh", "-F", config(name), "-o", "BatchMode=yes", *command],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


def by_name(name):
    return [pid for pid in residue.descendants(os.getpid()) if residue.name_of(pid) == name]


def check_settled(tap, before, name):
    left = residue.settled(before, deadline_s=15)
    if not tap.check(not left, name, "\n".join(left)):
        residue.end_descendants()


def test_session(tap, scenario):
    before = residue.snapshot()
    status, out = e3("up", scenario)
    tap.check(status == 0 and config("one") in out, "e3 up prints an ssh_config", out)
    status, out = ssh("one", "host0", "hostname; ping -q -c 3 -i 0.2 host1 || ping host1")
    fastest = float(out.split("rtt")[-1].split("=")[1].split("/")[0]) if "rtt" in out else 0
    tap.check(status == 0 and out.startswith("host0\n") and RTT_MS <= fastest < 10 * RTT_MS,
              f"stock ssh: host0 pings host1 in {RTT_MS} ms or more", out)
    status, out = ssh("one", "host1", "head -c 3000000 /dev/zero")
    tap.check(status == 0 and len(out) == 3000000, "three megabytes through the proxy", len(out))
    status, out = e3("up", scenario)
    tap.check(status == 2 and "e3 down one" in out, "a second e3 up of the same is refused", out)
    status, out = e3("down", "two")
    tap.check(status == 4 and "no hosts 'two' are up" in out, "e3 down of what isn't up", out)
    status, out = e3("connect", "one", "10.77.0.2", "1")
    tap.check(status == 4 and "10.77.0.2 port 1" in out, "e3 connect to a closed port", out)
    modes = {file: oct(os.stat(f"{REGISTRY}/one/{file}").st_mode & 0o777)
             for file in os.listdir(f"{REGISTRY}/one")}
    tap.check(modes.get("key") == "0o600", "the key is its owner's alone", modes)
    end_with_session(tap, before)


def end_with_session(tap, before):
    """`e3 down` while somebody is logged in."""
    with subprocess.Popen(["ssh", "-F", config("one"), "host0", "echo in; sleep 60"], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as session:
        session.stdout.readline()
        status, out = e3("down")
        tap.check(status == 0 and out == "one: removed\n", "e3 down while somebody is logged in", out)
        session.communicate(timeout=60)
        tap.check(session.returncode == 255, "ends that session", session.returncode)
    check_settled(tap, before, "nothing stays after e3 down")
    status, out = e3("down")
    tap.check(status == 0 and "no emulated hosts are up" in out, "e3 down of nothing", out)


def swap_keys(name):
    path = f"{REGISTRY}/{name}/known_hosts"
    with open(path, encoding="utf-8") as known:
        lines = [line.split(" ", 1) for line in known]
    with open(path, "w", encoding="utf-8") as known:
        known.write(f"{lines[0][0]} {lines[1][1]}{lines[1][0]} {lines[0][1]}")


def test_two_sets(tap, one, two):
    before = residue.snapshot()
    ups = [subprocess.Popen([E3, "up", scenario], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            stdin=subprocess.DEVNULL, text=True) for scenario in (one, one, two)]
    said = [up.communicate(timeout=120)[0] for up in ups]
    tap.check(sorted(up.returncode for up in ups[:2]) == [0, 2] and ups[2].returncode == 0,
              "of two at the same time one is refused, another name is not", said)
    _, out = ssh("two", "host2", "hostname; grep -c host /etc/hosts")
    tap.check(out.split() == ["host2", "4"], "both sets are up, the second with three hosts", out)
    swap_keys("one")
    status, out = ssh("one", "host0", "true")
    tap.check(status == 255 and "verification failed" in out, "a wrong host key is refused", out)
    status, out = e3("down")
    tap.check(status == 0 and out.count("removed") == 2, "e3 down removes both", out)
    check_settled(tap, before, "nothing stays of the two")


def test_kill_keeper(tap, scenario):
    before = residue.snapshot()
    e3("up", scenario)
    os.kill(by_name("e3-keeper")[0], signal.SIGKILL)
    tap.check(wait_until(lambda: not by_name("e3 host0")), "hosts end with a keeper that is killed")
    status, out = e3("up", scenario)
    tap.check(status == 0, "e3 up cleans what a killed keeper left", out)
    os.kill(by_name("e3-keeper")[0], signal.SIGKILL)
    wait_until(lambda: not by_name("e3 host0"))
    status, out = e3("down")
    tap.check(status == 0, "e3 down cleans what a killed keeper left", out)
    check_settled(tap, before, "nothing stays of killed keepers")


def test_kill_host(tap, scenario):
    before = residue.snapshot()
    e3("up", scenario)
    os.kill(by_name("e3 host1")[0], signal.SIGKILL)
    check_settled(tap, before, "a host that is killed takes its set along, with its folder")


def test_kill_up(tap, scenario):
    chance = random.Random(time.time_ns())
    for _ in range(N_KILLS):
        before = residue.snapshot()
        after_s = chance.uniform(0, 0.12)
        with subprocess.Popen([E3, "up", scenario], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as up:
            time.sleep(after_s)
            up.kill()
        status, out = e3("down")
        tap.check(status == 0, "e3 down after a killed e3 up", out)
        check_settled(tap, before, f"nothing stays after kill -9 of e3 up at {after_s * 1000:.0f} ms and e3 down")


def test_interrupt(tap, scenario):
    """Hosts are up in a tenth of a second: where Ctrl-C comes too late for that, it comes again."""
    before = residue.snapshot()
    for _ in range(N_INTERRUPTS_MAX):
        with subprocess.Popen([E3, "up", scenario], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL) as up:
            wait_until(lambda: by_name("e3 host0"))
            up.send_signal(signal.SIGINT)
            out, _ = up.communicate(timeout=60)
        if up.returncode != 0:
            break
        e3("down")
    tap.check(up.returncode == 4 and "interrupted" in out, "Ctrl-C during e3 up", out)
    check_settled(tap, before, "nothing stays after Ctrl-C")


def test_bad_input(tap, scenario):
    before = residue.snapshot()
    status, out = e3("up", "/tmp/none.json")
    tap.check(status == 2 and "/tmp/none.json" in out, "no such scenario", out)
    status, out = e3("up", scenario, "--parties", "11")
    tap.check(status == 2 and "parties" in out, "eleven parties", out)
    status, out = e3("connect", "none", "10.77.0.1", "22")
    tap.check(status == 4 and "e3 up" in out, "e3 connect without hosts", out)
    status, out = e3("up", write_scenario("a b"))
    tap.check(status == 2 and "a b" in out, "a name that is no folder name", out)
    os.unlink("/tmp/scenarios/a b.json")
    check_settled(tap, before, "bad input leaves nothing")


def main():
    skip_unless_root()
    tap = Tap()
    residue.enclose()
    one, two = write_scenario("one"), write_scenario("two", 3)
    test_session(tap, one)
    test_two_sets(tap, one, two)
    test_kill_keeper(tap, one)
    test_kill_host(tap, one)
    test_kill_up(tap, one)
    test_interrupt(tap, one)
    test_bad_input(tap, one)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
