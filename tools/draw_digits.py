#!/usr/bin/env python3
"""Draw the digit images that cnn-mnist classifies when it is given no others.

usage: draw_digits.py [--out data/cnn] [--seed N] [--show]

Every digit is a few strokes (polylines and arcs of ellipses) that are turned, slanted,
stretched and thickened a little, drawn with antialiasing into 20 x 20 pixels and centred by
mass in 28 x 28, as the images of MNIST are. Writes digits.idx and digits-labels.idx.
"""
import argparse
import math
import pathlib
import random
import struct

SIDE, BOX, ROUNDS = 28, 20, 2


def arc(cx, cy, rx, ry, start, end, steps=24):
    """Degrees, clockwise from the right; y grows downward."""
    turns = [math.radians(start + (end - start) * i / steps) for i in range(steps + 1)]
    return [(cx + rx * math.cos(t), cy + ry * math.sin(t)) for t in turns]


STROKES = {  # in a box of width 1 and height 1.5
    0: [arc(0.5, 0.75, 0.42, 0.72, 0, 360)],
    1: [[(0.3, 0.3), (0.55, 0.05), (0.55, 1.45)]],
    2: [arc(0.48, 0.42, 0.4, 0.38, 190, 380) + [(0.08, 1.42), (0.95, 1.42)]],
    3: [arc(0.45, 0.4, 0.38, 0.36, 210, 450) + arc(0.45, 1.1, 0.42, 0.36, 270, 510)],
    4: [[(0.3, 0.05), (0.08, 0.85), (0.92, 0.85)], [(0.68, 0.3), (0.65, 1.48)]],
    5: [[(0.9, 0.06), (0.2, 0.06), (0.15, 0.68)] + arc(0.45, 1.02, 0.42, 0.42, 230, 500)],
    6: [[(0.72, 0.05), (0.3, 0.55)] + arc(0.48, 1.05, 0.38, 0.38, 200, 560)],
    7: [[(0.06, 0.08), (0.92, 0.08), (0.4, 1.46)]],
    8: [arc(0.5, 0.4, 0.32, 0.35, 90, 450), arc(0.5, 1.1, 0.4, 0.36, 270, 630)],
    9: [arc(0.48, 0.45, 0.36, 0.38, 0, 360) + [(0.84, 0.45), (0.72, 1.46)]],
}


def distance(px, py, a, b):
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = dx * dx + dy * dy
    t = max(0, min(1, ((px - a[0]) * dx + (py - a[1]) * dy) / length)) if length else 0
    return math.hypot(px - a[0] - t * dx, py - a[1] - t * dy)


def varied(strokes, rng):
    turn, slant = rng.uniform(-0.12, 0.12), rng.uniform(-0.05, 0.25)
    wide = rng.uniform(0.75, 1.0)

    def moved(x, y):
        x, y = wide * (x - 0.5) - slant * (y - 0.75), y - 0.75
        return x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)

    return [[moved(x, y) for x, y in stroke] for stroke in strokes]


def drawn(strokes, rng):
    """Grey values in [0, 1] as rows; the digit fills the box and is centred by mass."""
    strokes = varied(strokes, rng)
    half = rng.uniform(0.9, 1.35)          # half a stroke's thickness in pixels
    points = [p for stroke in strokes for p in stroke]
    low = [min(p[k] for p in points) for k in (0, 1)]
    high = [max(p[k] for p in points) for k in (0, 1)]
    scale = (BOX - 2 * half) / max(high[0] - low[0], high[1] - low[1])
    segments = [(a, b) for s in strokes for a, b in zip(s, s[1:])]

    def image(ox, oy):
        placed = [tuple((p[0] * scale + ox, p[1] * scale + oy) for p in s) for s in segments]
        return [[max(0, min(1, half + 0.5 - min(distance(x, y, a, b) for a, b in placed)))
                 for x in range(SIDE)] for y in range(SIDE)]

    middle = (SIDE - 1) / 2
    ox, oy = (middle - scale * (low[k] + high[k]) / 2 for k in (0, 1))
    first = image(ox, oy)
    mass = sum(map(sum, first))
    ox += middle - sum(v * x for row in first for x, v in enumerate(row)) / mass
    oy += middle - sum(v * y for y, row in enumerate(first) for v in row) / mass
    return image(ox, oy)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("data/cnn"))
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--show", action="store_true", help="print the images as text")
    args = parser.parse_args()
    rng = random.Random(args.seed)
    labels = list(STROKES) * ROUNDS
    images = []
    for label in labels:
        rows = drawn(STROKES[label], rng)
        images.append(bytes(round(255 * v) for row in rows for v in row))
        if args.show:
            print("\n".join("".join(" .:*#"[min(4, int(5 * v))] for v in row) for row in rows))
    (args.out / "digits.idx").write_bytes(
        struct.pack(">4I", 0x803, len(images), SIDE, SIDE) + b"".join(images))
    (args.out / "digits-labels.idx").write_bytes(struct.pack(">2I", 0x801, len(labels)) + bytes(labels))


if __name__ == "__main__":
    main()
