"""A party whose controller says anything: it ends within its deadline, by no signal, with
no word of a sanitizer; and what it says until then are messages.

usage: fuzz_party.py E3 [RUNS [SEED]]
"""
import base64
import json
import os
import random
import subprocess
import sys

PROGRAM = sys.argv[1]
RUNS = int(sys.argv[2]) if len(sys.argv) > 2 else 60
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 1
DEADLINE_S = 60
ODD = [None, True, -1, 1e308, 2 ** 64, 0.5, "", "x" * 5000, [], {}, [[[[]]]], "\0", "AAAA=",
       ["127.0.0.1"] * 11, "../../etc/passwd", "%s%n", 10, 9]


def honest(rng):
    def card():
        return {"card": base64.b64encode(rng.randbytes(rng.choice([0, 8, 100]))).decode()}
    n = rng.choice([1, 2, 3])
    plan = {"t": "plan", "party": 0, "parties": n, "addresses": ["127.0.0.1"] * n,
            "transport": rng.choice(["tcp", "loopback", "none"]), "options": [],
            "workload": "secret-santa", "size": "4", "field_bits": 61, "seed": "1",
            "images": 0, "probe_rate_hz": rng.choice([0, 100]), "probe_bytes": 64,
            "step_ms": 300, "round_ms": 300}
    signals = [{"t": "signal", "from": n - 1, "endpoint": rng.choice([0, 1]),
                "data": base64.b64encode(rng.randbytes(rng.choice([0, 5, 4000]))).decode()}
               for _ in range(rng.randrange(4))]
    return [plan, *signals, {"t": "cards", "cards": [card() for _ in range(n)]}, *signals,
            {"t": "go"}, {"t": "close"}, {"t": "down"}, {"t": "stop"}]


def altered(rng, message):
    """A message as bytes, without its newline."""
    kind = rng.randrange(8)
    if kind < 3:
        message = dict(message)
        message[rng.choice(list(message))] = rng.choice(ODD)
    elif kind == 3:
        message = {k: v for k, v in message.items() if rng.random() < 0.8}
    data = bytearray(json.dumps(message).encode())
    if kind == 4:
        del data[rng.randrange(len(data)):]
    elif kind == 5:
        for _ in range(1 + rng.randrange(4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
    elif kind == 6:
        data = bytearray(rng.randbytes(rng.choice([1, 50, 70000])))
    return bytes(data)


def script(rng):
    rare = 2 ** rng.randrange(5)
    said = []
    for message in honest(rng):
        if rng.randrange(12 * rare) == 0:
            continue
        said.append(altered(rng, message) if rng.randrange(rare) == 0
                    else json.dumps(message).encode())
    if rng.randrange(4) == 0:
        rng.shuffle(said)
    return b"\n".join(said) + (b"\n" if rng.random() < 0.8 else b"")


def run(seed):
    """What is wrong, or None."""
    process = subprocess.Popen([PROGRAM, "party"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, err = process.communicate(script(random.Random(seed)), timeout=DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return f"no end within {DEADLINE_S} s"
    if process.returncode < 0 or b"Sanitizer" in err or b"runtime error" in err:
        return f"ended with {process.returncode}: {err.decode(errors='replace')[-3000:]}"
    for line in out.splitlines():
        try:
            # A sentence may quote what it was sent, bytes that are no text included.
            if "t" not in json.loads(line.decode(errors="replace")):
                return f"said no message: {line[:200]}"
        except ValueError:
            return f"said no JSON: {line[:200]}"
    return None


def main():
    wrong = None
    seed = SEED
    while seed < SEED + RUNS and wrong is None:
        wrong = run(seed)
        seed += 1
    print(f"# seeds {SEED} .. {seed - 1}")
    if wrong is not None:
        print("# " + wrong.replace("\n", "\n# "))
    print(f"1..1\n{'ok' if wrong is None else 'not ok'} 1 - a party survives its controller")
    return wrong is not None


if __name__ == "__main__":
    os.environ.setdefault("E3_HOME", os.path.dirname(os.path.dirname(os.path.dirname(
        os.path.abspath(__file__)))))
    sys.exit(main())
