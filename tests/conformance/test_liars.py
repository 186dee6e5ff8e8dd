#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: test_liars.py SUITE_OF: the suite finds each transport that claims what it doesn't do."""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import Tap  # noqa: E402

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
tap = Tap()


def last_lines(text):
    return "\n".join(text.splitlines()[-20:])


def suite_of(plugin, pattern):
    done = subprocess.run([sys.argv[1], plugin, pattern], capture_output=True, text=True, timeout=100,
                          env={**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"}, check=False)
    return done.returncode, done.stdout + done.stderr


for lie, pattern, sentence in LIARS:
    if lie == "sealed" and os.geteuid() != 0:
        tap.skip("liar-sealed", "looking at packets needs root")
        continue
    code, said = suite_of("liar-" + lie, pattern)
    tap.check(code != 0 and sentence in said, f"liar-{lie} is found by {pattern}: '{sentence}'", last_lines(said))

for pattern in sorted({pattern for _, pattern, _ in LIARS}):
    code, said = suite_of("liar-honest", pattern)
    tap.check(code == 0 and "not ok" not in said, f"the same without a lie passes {pattern}", last_lines(said))
sys.exit(tap.end())
