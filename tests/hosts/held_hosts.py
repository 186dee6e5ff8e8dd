# SPDX-License-Identifier: MIT
"""Emulated hosts held by a hosts_hold process, for tests."""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import residue

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import Tap  # noqa: E402, F401 (whoever holds hosts says TAP)

DEADLINE_S = 60


def skip_unless_root():
    """Prints a whole TAP stream and ends when this machine can't carry hosts."""
    for missing, why in ((os.geteuid() != 0, "needs root"),
                         (not os.path.exists("/dev/net/tun"), "no /dev/net/tun")):
        if missing:
            print(f"1..1\nok 1 - emulated hosts # SKIP {why}")
            raise SystemExit(0)


def wait_until(condition, deadline_s=DEADLINE_S):
    end = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


class Held:
    def __init__(self, program, n_hosts, one_way_ms=0, wait=True):
        self.folder = tempfile.TemporaryDirectory(prefix="e3-test-")
        self.key = os.path.join(self.folder.name, "key")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        with open(self.key + ".pub", encoding="utf-8") as line:
            public = line.read().strip()
        self.process = subprocess.Popen([program, str(n_hosts), public, str(one_way_ms)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.hosts, self.said = {}, []
        if wait:
            self.wait_up()

    def wait_up(self):
        """Hosts by name: (address, port, pid, key). False with the sentence in `said`."""
        for line in self.process.stdout:
            if line == "up\n":
                self.write_known_hosts()
                return True
            self.said.append(line.strip())
            fields = line.split(" ", 4)
            if len(fields) == 5 and fields[0].startswith("host"):
                self.hosts[fields[0]] = (fields[1], fields[2], int(fields[3]), fields[4].strip())
        return False

    def write_known_hosts(self):
        with open(os.path.join(self.folder.name, "known"), "w", encoding="utf-8") as known:
            for address, _, _, key in self.hosts.values():
                known.write(f"{address} {key}\n")

    def ssh_argv(self, host, *command, key=None):
        return ["ssh", "-F", "none", "-i", key or self.key, "-o", "IdentitiesOnly=yes",
                "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes",
                "-o", f"UserKnownHostsFile={self.folder.name}/known",
                "-o", "ConnectTimeout=30", f"root@{self.hosts[host][0]}", *command]

    def popen(self, argv, **options):
        """A process beside the controller, in its network."""
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True,
                                preexec_fn=lambda: residue.enter_network(self.process.pid), **options)

    def ssh(self, host, *command, key=None):
        """(exit status, standard output, standard error)"""
        process = self.popen(self.ssh_argv(host, *command, key=key))
        out, err = process.communicate(timeout=DEADLINE_S)
        return process.returncode, out, err

    def child(self, name):
        """Descendant of the controller by its name, or None."""
        for pid in residue.descendants(self.process.pid):
            if residue.name_of(pid) == name:
                return pid
        return None

    def end(self):
        """Down in the ordinary way, or what is left of it. Returns (status, last words)."""
        words, _ = self.process.communicate(timeout=DEADLINE_S)
        self.folder.cleanup()
        return self.process.returncode, words.strip()
