#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: test_liars.py SUITE_OF: the suite finds each transport that claims what it doesn't do."""
import os
import subprocess
import sys

LIARS = [  # plugin, the test of the suite that finds it, what it says
    ("lossy", "suite_many_small_messages", "message 400 came when 399 was due"),
    ("twice", "suite_many_small_messages", "message 399 came when 400 was due"),
    ("unordered", "suite_many_small_messages", "message 400 came when 399 was due"),
    ("damaged", "suite_many_small_messages", "byte 11 of message 399 (12 bytes) is wrong"),
    ("cut", "suite_many_small_messages", "message 399 came with 11 bytes, 12 were sent"),
    ("long", "suite_maximum_message", "transport liar-long declares messages of up to 536870912 bytes, but refuses one"),
    ("lanes", "suite_lanes_have_an_order_each", "lane 1 stands still while lane 0 is paused"),
    ("sealed", "suite_seals_what_it_claims",
     "claims to be secure (ChaCha20-Poly1305), but "),
    ("bare", "suite_declares_itself", "claims to be secure, but declares no encryption"),
]
checks = failures = 0


def check(good, what, said=""):
    global checks, failures
    checks += 1
    failures += not good
    print(("ok" if good else "not ok") + f" {checks} - {what}", flush=True)
    if not good:
        print("".join(f"# {line}\n" for line in said.splitlines()[-20:]), end="")


def suite_of(plugin, pattern):
    done = subprocess.run([sys.argv[1], plugin, pattern], capture_output=True, text=True, timeout=100,
                          env={**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"}, check=False)
    return done.returncode, done.stdout + done.stderr


for lie, pattern, sentence in LIARS:
    if lie == "sealed" and os.geteuid() != 0:
        print("# skip: looking at packets needs root")
        print(f"ok {checks + 1} - liar-sealed # SKIP")
        checks += 1
        continue
    code, said = suite_of("liar-" + lie, pattern)
    check(code != 0 and sentence in said, f"liar-{lie} is found by {pattern}: '{sentence}'", said)

for pattern in sorted({pattern for _, pattern, _ in LIARS}):
    code, said = suite_of("liar-honest", pattern)
    check(code == 0 and "not ok" not in said, f"the same without a lie passes {pattern}", said)
print(f"1..{checks}")
sys.exit(failures > 0)
