#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: test_calibrate_wan.py HOSTS_HOLD E3: `e3 calibrate` on hosts, over the emulator."""
import json
import os
import subprocess
import sys

import residue
from held_hosts import Held, Tap, skip_unless_root

ONE_WAY_MS = 20
COUNT = 20
NOBODY = "10.77.0.99"  # routed to the emulator, which has no such port


def upload(held, host, path):
    with open(path, "rb") as program:
        subprocess.run(held.ssh_argv(host, "cat >/tmp/e3 && chmod 755 /tmp/e3"), stdin=program, check=True,
                       preexec_fn=lambda: residue.enter_network(held.process.pid), timeout=60)


def calibrate(held, host, *arguments):
    status, out, err = held.ssh(host, "/tmp/e3", "calibrate", *arguments)
    return status, json.loads(out)["pairs"] if status == 0 else [], err


def look(tap, held):
    status, pairs, err = calibrate(held, "host0", "--count", str(COUNT), "--interval-us", "5000",
                                   "--patience-ms", "1000", "10.77.0.2", "10.77.0.3", NOBODY)
    if not tap.check(status == 0 and len(pairs) == 3, "one pair an address", err):
        return
    for pair in pairs[:2]:
        rtt = pair["rtt_ns"] or {"min": 0, "p50": 0, "p99": 0}
        tap.check(pair["sent"] == pair["received"] == COUNT, f"{pair['address']}: all answered", pair)
        tap.check(2e6 * ONE_WAY_MS <= rtt["min"] <= rtt["p50"] <= rtt["p99"] <= 40e6 * ONE_WAY_MS,
                  f"{pair['address']}: round trips of {rtt['p50'] / 1e6:.2f} ms", rtt)
    tap.check(pairs[2] == {"address": NOBODY, "sent": COUNT, "received": 0, "rtt_ns": None},
              "loss is reported, and no round trip made up", pairs[2])
    status, _, err = calibrate(held, "host0", "192.0.2.1")
    tap.check(status == 4 and "192.0.2.1" in err, f"no route: {err.strip()}", err)
    status, _, err = calibrate(held, "host0", "host1")
    tap.check(status == 2 and "'host1'" in err, f"no address: {err.strip()}", err)


def main():
    skip_unless_root()
    tap = Tap()
    residue.enclose()
    held = Held(os.path.realpath(sys.argv[1]), 3, ONE_WAY_MS)
    upload(held, "host0", sys.argv[2])
    look(tap, held)
    held.end()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
