#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a run leaves behind: processes, namespaces, interfaces, routes, mounts, files, cgroups.

usage: residue.py enclose COMMAND...      run COMMAND, list what stays, exit 1 if anything does
       residue.py snapshot > BEFORE       what is there now
       residue.py compare BEFORE          list what came since, exit 1 if anything did

As a module: enclose() once at the start of a test, then before = snapshot(), run,
left = settled(before).

Other runs on the same machine don't disturb an audit: enclose() gives the calling process an
outside of its own (network, mounts, System V objects, and /tmp /run /var/tmp /dev/shm in
memory), with mounts shared, so that a run that lets its own escape is seen; and makes it the
subreaper, so that every process that a run orphans stays its descendant. A namespace lives
by a process in it, a descriptor or a mount: all three are looked at.
"""
import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import time

FOLDERS = ["/tmp", "/run", "/var/tmp", "/dev/shm"]
NAMESPACES = ["net", "mnt", "pid", "uts", "ipc", "user", "cgroup", "time"]
CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWNET = 0x20000, 0x8000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC = 2, 4, 4096, 16384
MS_PRIVATE, MS_SHARED = 1 << 18, 1 << 20
PR_SET_CHILD_SUBREAPER = 36
libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def mount(source, target, kind, flags, options=None):
    check(libc.mount(source.encode(), target.encode(), kind and kind.encode(),
                     ctypes.c_ulong(flags), options and options.encode()), f"mounting on {target}")


def unmount(target):
    check(libc.umount2(target.encode(), 0), f"unmounting {target}")


def enter_network(pid):
    """In the network namespace of a process; for preexec_fn."""
    with open(f"/proc/{pid}/ns/net", "rb") as network:
        check(libc.setns(network.fileno(), CLONE_NEWNET), f"network of process {pid}")


def enclose():
    """Give this process an outside of its own. Needs root."""
    home = os.path.realpath(os.environ.get("E3_HOME", "."))
    check(libc.unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET), "namespaces of the audit")
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount("none", "/", None, MS_REC | MS_SHARED)
    kept = os.open(home, os.O_PATH | os.O_DIRECTORY)
    for folder in FOLDERS:
        if os.path.isdir(folder):
            mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")
    if not os.path.isdir(home):  # the tree itself lies in one of them
        os.makedirs(home)
        mount(f"/proc/self/fd/{kept}", home, None, MS_BIND | MS_REC)
    os.close(kept)
    check(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "subreaper")


def lines(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as text:
            return text.read().splitlines()
    except OSError:
        return []  # ended meanwhile


def stat_of(pid):
    """(state, parent, start time) or None."""
    text = "".join(lines(f"/proc/{pid}/stat"))
    fields = text[text.rfind(")") + 2:].split()
    return (fields[0], int(fields[1]), int(fields[19])) if len(fields) > 19 else None


def name_of(pid):
    return "".join(lines(f"/proc/{pid}/comm")) or "?"


def descendants(root):
    """pid -> start time of every living descendant; zombies have ended."""
    stats = {int(pid): stat_of(pid) for pid in os.listdir("/proc") if pid.isdigit()}
    children = {}
    for pid, stat in stats.items():
        if stat:
            children.setdefault(stat[1], []).append(pid)
    found, open_ends = {}, [root]
    while open_ends:
        for pid in children.get(open_ends.pop(), []):
            open_ends.append(pid)
            if stats[pid][0] not in "ZX":
                found[pid] = stats[pid][2]
    return found


def link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""


def namespaces_of(pid):
    """Namespaces that a process is in or holds open, as 'net:[4026531840]'."""
    held = {link(f"/proc/{pid}/ns/{kind}") for kind in NAMESPACES}
    try:
        descriptors = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        descriptors = []
    for fd in descriptors:
        target = link(f"/proc/{pid}/fd/{fd}")
        if re.match(r"[a-z]+:\[\d+\]$", target) and target.split(":")[0] in NAMESPACES:
            held.add(target)
    return held - {""}


def mounts():
    """'mount point (type source root)', one each; ids differ at every reading of a tree."""
    found = []
    for line in lines("/proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        found.append(f"{fields[4]} ({kind[0]} {kind[1]} {fields[3]})")
    return found


def files(folders):
    return [os.path.join(where, name) for folder in folders
            for where, subfolders, names in os.walk(folder) for name in subfolders + names]


def cgroups():
    """Only those named for E3: others on this machine come and go."""
    return [path for path in files(["/sys/fs/cgroup"])
            if os.path.isdir(path) and re.match(r"e3([-_.]|$)", os.path.basename(path))]


def snapshot(root=None, folders=None):
    """Everything an audit looks at, as lists of texts (JSON-able)."""
    root = root or os.getpid()
    processes = descendants(root)
    held = set()
    for pid in [root, *processes]:
        held |= namespaces_of(pid)
    return {
        "process": [f"{pid} ({name_of(pid)}, started {start})" for pid, start in processes.items()],
        "namespace": sorted(held),
        "interface": [line.split(":")[0].strip() for line in lines("/proc/self/net/dev")[2:]],
        "route": lines("/proc/self/net/route")[1:],
        "mount": mounts(),
        "file": files(folders or FOLDERS),
        "cgroup": cgroups(),
        "shared object": [line for kind in ("shm", "sem", "msg")
                          for line in lines(f"/proc/sysvipc/{kind}")[1:]],
    }


def compare(before, after):
    """What is in `after` and wasn't in `before`: sentences, empty = no residue."""
    left = []
    for kind, now in after.items():
        known = list(before[kind])
        for item in now:
            if item in known:
                known.remove(item)
            else:
                left.append(f"{kind} {item}")
    return left


def settled(before, deadline_s=5, root=None):
    """compare(before, now), repeated until it is empty or the deadline has passed: after a
    kill the kernel takes things down in its own time."""
    end = time.monotonic() + deadline_s
    while True:
        left = compare(before, snapshot(root))
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.02)


def end_descendants():
    """SIGKILL to what an audit found, so that a failed test leaves nothing either."""
    for pid in descendants(os.getpid()):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def main():
    verb = sys.argv[1] if len(sys.argv) > 1 else ""
    if verb == "enclose" and len(sys.argv) > 2:
        enclose()
        before = snapshot()
        subprocess.run(sys.argv[2:], check=False)
        left = settled(before)
        end_descendants()
    elif verb == "snapshot":
        # The caller's descendants, but neither this process nor the caller's shell pipe.
        json.dump(snapshot(os.getppid()), sys.stdout)
        return 0
    elif verb == "compare" and len(sys.argv) > 2:
        with open(sys.argv[2], encoding="utf-8") as text:
            before = json.load(text)
        own = f"process {os.getpid()} "
        left = [item for item in compare(before, snapshot(os.getppid()))
                if not item.startswith(own)]
    else:
        print(__doc__, file=sys.stderr)
        return 2
    print("\n".join(left) if left else "no residue")
    return bool(left)


if __name__ == "__main__":
    sys.exit(main())
