#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: test_inventory.py E3: runs on hosts of an inventory: those that `e3 up` keeps."""
import json
import os
import subprocess
import sys
import tempfile
import time

from running import Run, residue, scenario, validate
from held_hosts import Tap, skip_unless_root

PROGRAM = os.path.realpath(sys.argv[1])
NAME = "inventory-test"
INVENTORY = f"/run/e3/{NAME}/inventory.json"
RTT_MS = 13  # of ams and lon in the matrix: 6 and 7 ms one way


def e3(*arguments):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=240, check=False)
    return done.returncode, done.stdout, done.stderr


def run_on(folder, inventory, *more, **changes):
    """A run of a small scenario on the hosts of an inventory, a path or a document."""
    if not isinstance(inventory, str):
        path = os.path.join(folder, "hosts.json")
        with open(path, "w", encoding="utf-8") as out:
            json.dump(inventory, out)
        inventory = path
    return Run(PROGRAM, scenario(folder, name=NAME, **changes), folder, "--inventory", inventory, *more)


def changed(host=None, **keys):
    """The inventory of the hosts that are up, with other keys; of one host or of the whole."""
    with open(INVENTORY, encoding="utf-8") as text:
        document = json.load(text)
    target = document if host is None else document["hosts"][host]
    target.update(keys)
    for key in [key for key, value in target.items() if value is None]:
        del target[key]
    return document


def on_host(number, command):
    return subprocess.run(["ssh", "-F", f"/run/e3/{NAME}/ssh_config", f"host{number}", command], text=True,
                          capture_output=True, timeout=240, stdin=subprocess.DEVNULL, check=False).stdout


def settle_hosts(deadline_s=60):
    """Nobody is there to tell when hosts have cleaned up: until they have."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end and any(on_host(h, "find /root -mindepth 1") for h in range(3)):
        time.sleep(0.05)


def look_at_hosts(tap, after):
    left = [on_host(h, "find /root /home /tmp /var/tmp /dev/shm -mindepth 1; ps -eo args | grep -v sshd | "
                       "grep '[e]3 \\(lease\\|party\\)'; ip -br link | grep -v '^\\(lo\\|wan0\\) '")
            for h in range(3)]
    tap.check(left == ["", "", ""], f"{after}: nothing stays on the hosts", left)


def test_run(tap, folder):
    held = run_on(folder, INVENTORY, transports=[{"plugin": "tcp"}, {"plugin": "wireguard"}])
    end = held.end()
    result = held.result()
    tap.check(end[0] == 0 and result is not None and result["status"] == "complete", "a run ends well", end)
    validate(result)
    inventory = result["provenance"]["inventory"]
    tap.check(inventory == changed(), "the inventory is embedded as it is", inventory)
    pairs = result["calibration"]["pairs"]
    tap.check(len(pairs) == 6 and all(pair["configured_rtt_ns"] is None for pair in pairs),
              "round trips of all pairs, compared with nothing", pairs)
    far = [pair["rtt_ns"]["p50"] / 1e6 for pair in pairs if 1 in (pair["from"], pair["to"])]
    tap.check(all(0.9 * RTT_MS < rtt < 3 * RTT_MS for rtt in far) and result["calibration"]["taints"] == [],
              "they are those of the network", far)
    cells = {cell["cell"]["transport"]: cell for cell in result["cells"]}
    figures = cells["tcp"]["figures"]
    tap.check(cells["tcp"]["status"] == "ok" and figures["rounds"]["median"] == 20
              and figures["wire_bytes"] is None and figures["decomposition"]["method"] == "replay",
              "figures of hosts without an emulator and a common clock", figures)
    tap.check(0.3 < figures["network_efficiency"]["median"] < 1.2, "the floor is that of the measured round trips",
              figures["network_efficiency"])
    tap.check(cells["wireguard"]["status"] in ("ok", "unsupported"), "an overlay, too", cells["wireguard"])
    tap.check(any("not applied" in note for note in result["notes"]), "it says that no delays are made",
              result["notes"])
    look_at_hosts(tap, "after a run")


def refused(tap, folder, name, code, words, inventory, **changes):
    end = run_on(folder, inventory, **changes).end()
    sentences = [line for line in end[2].splitlines() if line.startswith("e3: ")]
    tap.check(end[0] == code and len(sentences) == 1 and words in sentences[0],
              f"{name}: exit {code}, a sentence with '{words}'", end)


def test_refusals(tap, folder):
    other = os.path.join(folder, "other")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    keys = [host["host_key"] for host in changed()["hosts"]]
    refused(tap, folder, "no such file", 2, "nowhere.json: ", os.path.join(folder, "nowhere.json"))
    refused(tap, folder, "hosts to be made", 2, "/backend: ", changed(backend="emulated"))
    refused(tap, folder, "no key", 2, "/identity: the key 'identity' is missing", changed(identity=None))
    refused(tap, folder, "a host too few", 2, "/hosts: 3, but a cell has 4 parties", changed(),
            parties={"count": 4, "regions": ["ams", "lon"]})
    refused(tap, folder, "another region", 2, "/hosts/1/region: 'ams', but party 1", changed(1, region="ams"))
    refused(tap, folder, "hosts that are not up", 4, "no hosts 'elsewhere' are up", changed(up="elsewhere"))
    refused(tap, folder, "a key that isn't there", 4, "/identity: cannot read the key",
            changed(identity={"secret_ref": "file:nowhere"}))
    refused(tap, folder, "a key that hosts don't know", 4, "host0 (10.77.0.1:22): our key was refused", changed(identity={"secret_ref": "file:other"}))
    refused(tap, folder, "a wrong host key", 4, "host1 (10.77.0.2:22): the host's key is not the pinned one", changed(1, host_key=keys[2]))
    refused(tap, folder, "nobody there", 4, "host2 (10.77.0.3:1): no TCP connection", changed(2, port=1))
    look_at_hosts(tap, "after refusals")


def test_end(tap, folder):
    """Ctrl-C, then a kill -9 and a run after it, then hosts that go."""
    long = {"workloads": [{"name": "rounds", "sizes": ["4000"]}]}
    held = run_on(folder, INVENTORY, **long)
    held.wait_for(lambda: "connected" in held.stderr())
    held.kill(held.process.pid, 2)
    end = held.end()
    tap.check(end[0] == 130 and held.result()["status"] == "partial", "Ctrl-C: a partial result", end)
    look_at_hosts(tap, "after Ctrl-C")
    held = run_on(folder, INVENTORY, **long)
    held.wait_for(lambda: "connected" in held.stderr())
    held.process.kill()
    held.end()
    settle_hosts()
    look_at_hosts(tap, "after kill -9 between runs of parties")
    held = run_on(folder, INVENTORY, **long)
    held.wait_for(lambda: all("/e3 party" in on_host(h, "ps -eo args | grep -v lease") for h in range(3)))
    held.process.kill()
    held.end()
    settle_hosts()
    look_at_hosts(tap, "after kill -9 with parties at work")
    held = run_on(folder, INVENTORY, **long)
    held.wait_for(lambda: "connected" in held.stderr())
    held.process.kill()
    held.end()
    end = run_on(folder, INVENTORY).end()
    tap.check(end[0] == 0, "a run after one that was killed", end)
    look_at_hosts(tap, "after kill -9 and another run")
    held = run_on(folder, INVENTORY, **long)
    held.wait_for(lambda: "connected" in held.stderr())
    e3("down", NAME)
    end = held.end()
    tap.check(end[0] == 4 and f"the hosts of '{NAME}' are gone" in end[2], "hosts that go: a sentence", end)


def test_names(tap, folder):
    """What fails is told by the name that the inventory gives the host, and told again for what it takes along."""
    held = run_on(folder, changed(1, name="tokyo"), workloads=[{"name": "rounds", "sizes": ["4000"]}],
                  runs={"blocks": 2, "timeout_s": 200, "reruns": 0})
    held.wait_for(lambda: "connected" in held.stderr())
    on_host(1, "until pgrep -f '^[^ ]*e3 [p]arty'; do sleep 0.02; done; kill -9 $(pgrep -f 'sshd: [r]oot@notty')")
    end = held.end()
    closed = "tokyo (10.77.0.2:22): connection closed by the host"
    tap.check(end[0] == 4 and f"party 1 on tokyo: {closed}" in end[2]
              and f"party 1 on tokyo could not be started: cannot run 'e3': {closed}" in end[2]
              and "host1" not in end[1] + end[2], "a lost host is told by its name, and why nothing can be started there",
              end)


def main():
    skip_unless_root()
    residue.enclose()
    tap = Tap()
    before = residue.snapshot()
    with tempfile.TemporaryDirectory(prefix="e3-inventory-") as folder:
        end = e3("up", scenario(folder, name=NAME))
        tap.check(end[0] == 0 and INVENTORY in end[1], "e3 up tells of its inventory", end)
        tap.check(e3("schema", "check", "inventory", INVENTORY)[0] == 0, "which can be read")
        for number, test in enumerate((test_run, test_refusals, test_names, test_end)):
            own = os.path.join(folder, str(number))
            os.mkdir(own)
            test(tap, own)
    left = residue.settled(before, deadline_s=15)
    if not tap.check(not left, "nothing stays here", "\n".join(left)):
        residue.end_descendants()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
