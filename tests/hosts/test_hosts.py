#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: test_hosts.py HOSTS_HOLD: emulated hosts as a stock ssh client sees them."""
import os
import shutil
import subprocess
import sys

import residue
from held_hosts import Held, Tap, skip_unless_root

ONE_WAY_MS = 20
PROGRAM = os.path.realpath(sys.argv[1])
COPY = "/tmp/hosts_hold"  # `nobody` may read that


def test_two_hosts(tap):
    held = Held(PROGRAM, 2, ONE_WAY_MS)
    try:
        look_at_two(tap, held)
    finally:
        status, words = held.end()
    tap.check(status == 0, "two hosts: down", words)


def look_at_two(tap, held):
    status, out, err = held.ssh("host0", "hostname; id -un; pwd; cat /etc/hostname")
    tap.check(status == 0 and out.split() == ["host0", "root", "/root", "host0"],
              "a stock ssh client logs in, and the host has its own name", out + err)
    status, out, err = held.ssh("host0", "getent hosts host1 controller")
    tap.check("10.77.0.2" in out and "controller" in out, "hosts know each other's names", out + err)
    look_at_ping(tap, held)
    look_at_files(tap, held)
    look_at_processes(tap, held)
    look_at_keys(tap, held)


def look_at_ping(tap, held):
    if subprocess.run(["sh", "-c", "command -v ping"], capture_output=True, check=False).returncode:
        tap.skip("ping between hosts", "no ping: run `apt-get install iputils-ping`")
        return
    status, out, err = held.ssh("host0", "ping -q -c 3 -i 0.2 host1")
    summary = out.strip().splitlines()[-1] if out else ""
    fastest = float(summary.split("=")[1].split("/")[0]) if "=" in summary else 0
    tap.check(status == 0 and fastest >= 2 * ONE_WAY_MS,
              f"host0 pings host1 by name, not faster than {2 * ONE_WAY_MS} ms", out + err)


def look_at_files(tap, held):
    mark = f"e3-mark-{os.getpid()}"
    own = ["/tmp", "/run", "/var/tmp", "/root", "/home", "/dev/shm", "/etc"]
    status, out, err = held.ssh("host0", f"for d in {' '.join(own)}; do echo mine > $d/{mark} || exit 1; done")
    tap.check(status == 0, "a host can write where files are its own", out + err)
    _, out, _ = held.ssh("host1", f"ls {' '.join(f'{d}/{mark}' for d in own)} 2>/dev/null")
    outside = [d for d in own if os.path.exists(f"{d}/{mark}")]
    tap.check(not out and not outside, "nobody else sees these files", f"{out} {outside}")
    machine = ["/usr", "/var/lib", "/opt", "/srv", "/boot", "/dev", "/sys",
               os.path.realpath(os.environ.get("E3_HOME", "/usr/share"))]
    status, out, err = held.ssh("host0", f"for d in {' '.join(machine)}; do echo bad 2>/dev/null > $d/{mark} && echo $d; done; true")
    tap.check(status == 0 and not out, "a host can't write to the machine's folders", out + err)
    for path in ("/proc/sys/kernel/hostname", "/proc/sys/vm/swappiness", "/proc/sysrq-trigger"):
        status, out, err = held.ssh("host0", f"test ! -e {path} || ! cat /dev/null 2>/dev/null > {path}")
        tap.check(status == 0, f"a host can't open {path} for writing", out + err)
    status, out, err = held.ssh("host0", "echo 1 > /proc/sys/net/ipv4/ip_forward && cat /proc/sys/net/ipv4/ip_forward")
    tap.check(out == "1\n", "settings of its own network it can change", out + err)
    status, out, err = held.ssh("host0", "cat /etc/shadow; command -v ip; test -r /etc/ld.so.cache && echo whole")
    tap.check("root:*:" in out and "/ip" in out and "whole" in out,
              "its /etc has accounts of its own and the rest of the machine's", out + err)


def look_at_processes(tap, held):
    status, out, err = held.ssh("host1", "ls -d /proc/[0-9]* | wc -l; cat /proc/1/comm; tail -n +3 /proc/net/dev")
    fields = out.split()
    tap.check(status == 0 and int(fields[0]) < 12 and "host1" in out.splitlines()[1],
              "a host sees its own processes only", out + err)
    tap.check("lo:" in out and "wan0:" in out and out.count(":") == 2,
              "a host has two interfaces: lo and wan0", out + err)
    process = held.popen([*held.ssh_argv("host1", "-tt"), "tty; exit 3"])
    out, err = process.communicate(timeout=60)
    tap.check(process.returncode == 3 and "/dev/pts/0" in out, "a terminal of its own", out + err)


def look_at_keys(tap, held):
    other = os.path.join(held.folder.name, "other")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    status, _, err = held.ssh("host0", "true", key=other)
    tap.check(status == 255 and "Permission denied (publickey)" in err, "another key is refused", err)
    keys = {key for _, _, _, key in held.hosts.values()}
    tap.check(len(keys) == 2, "every host has a key of its own", keys)
    with open(os.path.join(held.folder.name, "known"), "w", encoding="utf-8") as known:
        known.write(f"{held.hosts['host0'][0]} {held.hosts['host1'][3]}\n")
    status, _, err = held.ssh("host0", "true")
    tap.check(status == 255 and "verification failed" in err, "host0 isn't taken for host1", err)


def test_ten_hosts(tap):
    held = Held(PROGRAM, 10)
    logins = [held.popen(held.ssh_argv(host, "hostname")) for host in held.hosts]
    names = [login.communicate(timeout=120)[0].strip() for login in logins]
    tap.check(names == [f"host{h}" for h in range(10)], "ten hosts, ten logins at a time", names)
    channels = [held.popen(held.ssh_argv("host3", "echo in; sleep 1")) for _ in range(30)]
    said = [channel.communicate(timeout=120)[0] for channel in channels]
    tap.check(said == ["in\n"] * 30, "thirty logins to one host at a time", said)
    status, words = held.end()
    tap.check(status == 0, "ten hosts: down", words)


def refusal(*prepare, n_hosts=2, as_nobody=False):
    """The sentence of a controller that can't start, in a mount namespace of its own."""
    def spoil():
        residue.check(residue.libc.unshare(residue.CLONE_NEWNS), "unshare")
        residue.mount("none", "/", None, residue.MS_REC | residue.MS_PRIVATE)
        for source, target, kind, flags in prepare:
            residue.mount(source, target, kind, flags)
        if as_nobody:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
    done = subprocess.run([COPY, str(n_hosts), "ssh-ed25519 AAAA"], preexec_fn=spoil, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    return done.stdout.strip() if done.returncode == 1 else f"status {done.returncode}: {done.stdout}"


def test_refusals(tap):
    bind = residue.MS_BIND
    empty = ("tmpfs", "/dev/net", "tmpfs", 0)
    shutil.copy(PROGRAM, COPY)
    cases = [
        ("without root", refusal(as_nobody=True), "sudo"),
        ("without /dev/net/tun", refusal(empty), "modprobe tun"),
        ("without sshd", refusal(("/dev/null", "/usr/sbin/sshd", None, bind)), "apt-get install"),
        ("with an sshd that fails", refusal(("/bin/false", "/usr/sbin/sshd", None, bind)), "sshd ended with 1"),
        ("with an ssh-keygen that fails", refusal(("/bin/false", "/usr/bin/ssh-keygen", None, bind)), "ssh-keygen failed"),
        ("for 11 hosts", refusal(n_hosts=11), "1 to 10"),
        ("for no host", refusal(n_hosts=0), "1 to 10"),
    ]
    for when, said, expected in cases:
        tap.check(expected in said and "\n" not in said, f"{when}: {said}", said)


def main():
    skip_unless_root()
    tap = Tap()
    residue.enclose()
    test_two_hosts(tap)
    test_ten_hosts(tap)
    test_refusals(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
