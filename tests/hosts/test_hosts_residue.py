#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: test_hosts_residue.py HOSTS_HOLD: nothing stays, whoever is killed whenever."""
import os
import random
import signal
import subprocess
import sys
import time

import residue
from held_hosts import Held, Tap, skip_unless_root, wait_until

N_KILLS = 12
KILL_WITHIN_S = 0.15  # of the start; two hosts are up in about 0.1 s


def check_settled(tap, before, name):
    left = residue.settled(before)
    if not tap.check(not left, name, "\n".join(left)):
        residue.end_descendants()


def test_audit_sees(tap):
    """The audit itself can fail: a process in a namespace, a mount, a file, an interface."""
    before = residue.snapshot()
    orphan = subprocess.run(
        ["sh", "-c", "unshare -n sleep 60 >/dev/null 2>&1 & echo $!"], check=True,
        capture_output=True, text=True).stdout.strip()
    os.mkdir("/tmp/stays")
    residue.mount("stays", "/tmp/stays", "tmpfs", 0)
    subprocess.run(["ip", "link", "add", "stays0", "type", "veth", "peer", "name", "stays1"],
                   check=True)
    wait_until(lambda: len(residue.namespaces_of(orphan) - set(before["namespace"])) == 1)
    left = " ".join(residue.compare(before, residue.snapshot()))
    for kind in (f"process {orphan}", "namespace net:", "mount /tmp/stays", "file /tmp/stays",
                 "interface stays0"):
        tap.check(kind in left, f"the audit sees one {kind.split()[0]} that stays", left)
    os.kill(int(orphan), signal.SIGKILL)
    subprocess.run(["ip", "link", "del", "stays0"], check=True)
    residue.unmount("/tmp/stays")
    os.rmdir("/tmp/stays")
    check_settled(tap, before, "the audit sees that they are gone")


def test_down(tap, program):
    before = residue.snapshot()
    held = Held(program, 2)
    seen = residue.compare(before, residue.snapshot())
    tap.check(sum(item.startswith("namespace") for item in seen) >= 11,
              "two hosts and a controller have namespaces of their own", "\n".join(seen))
    outside = [item for item in seen if item.split()[0] in ("interface", "route", "mount", "cgroup")]
    tap.check(not outside, "nothing is outside them while the hosts are up", "\n".join(outside))
    status, words = held.end()
    tap.check(status == 0, "down", words)
    check_settled(tap, before, "nothing stays after down")


def test_kill_controller(tap, program, after_s):
    before = residue.snapshot()
    held = Held(program, 2, wait=after_s is None)
    if after_s is not None:
        time.sleep(after_s)
    held.process.kill()
    held.end()
    when = "while up" if after_s is None else f"{after_s * 1000:.0f} ms after its start"
    check_settled(tap, before, f"nothing stays after kill -9 of the controller {when}")


def test_kill_part(tap, program, what, find, says):
    """A part is killed: the controller names it, and takes the rest down."""
    before = residue.snapshot()
    held = Held(program, 2)
    part = find(held)
    if not tap.check(part, f"{what} is there"):
        held.end()
        return
    os.kill(part, signal.SIGKILL)
    words = held.process.stdout.readline()
    tap.check(words.startswith("ended: ") and says in words,
              f"kill -9 of {what} is reported: {words.strip()}", words)
    status, _ = held.end()
    tap.check(status == 4, f"the controller ends by itself after kill -9 of {what}", status)
    check_settled(tap, before, f"nothing stays after kill -9 of {what}")


def sshd_of(held, host):
    init = held.hosts[host][2]
    return next((pid for pid in residue.descendants(init) if residue.name_of(pid) == "sshd"), None)


def main():
    skip_unless_root()
    program = os.path.realpath(sys.argv[1])
    tap = Tap()
    residue.enclose()
    test_audit_sees(tap)
    test_down(tap, program)
    test_kill_controller(tap, program, None)
    chance = random.Random(time.time_ns())
    for _ in range(N_KILLS):
        test_kill_controller(tap, program, chance.uniform(0, KILL_WITHIN_S))
    test_kill_part(tap, program, "the emulator", lambda held: held.child("e3-wan"), "emulator")
    test_kill_part(tap, program, "a host's PID 1", lambda held: held.hosts["host1"][2], "host1: its PID 1")
    test_kill_part(tap, program, "a host's sshd", lambda held: sshd_of(held, "host1"), "host1: its sshd")
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
