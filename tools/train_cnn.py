#!/usr/bin/env python3
"""Train the CNN of the workload cnn-mnist, quantise it, and write it as one file.

usage: train_cnn.py --mnist DIR [--out data/cnn/model.bin] [--epochs N] [--seed N]

DIR holds train-images-idx3-ubyte and train-labels-idx1-ubyte, plain or .gz. Needs numpy and
nothing else. Images [0, 6000) are trained on, [6000, 6400) are printed after every epoch, and
[6400, 8000) are held out: looked at once, after the last epoch, with integer arithmetic.

Weights are rounded to multiples of 2^-6 in every forward pass (straight-through gradients), so
what is trained is what is written. docs/cnn.md has the file format and the figures.
"""
import argparse
import gzip
import hashlib
import pathlib
import struct
import sys
import time

import numpy as np

SIDE, KERNEL = 28, 5
TRAIN, VALIDATE, HELD_OUT = slice(0, 6000), slice(6000, 6400), slice(6400, 8000)
UNIT_BITS = 6                       # weights and pixels x 2^6
WIDTHS = (16, 23, 30, 37)           # bits of the comparisons after each layer
NAMES = ("conv1", "conv2", "fc1", "fc2")
BATCH = 50
RATE, RATE_LAST, DECAY, DROPOUT = 1.5e-3, 2e-5, 2e-2, 0.4
SOFT_LIMITS = (4, 3, 6, 12)         # |values| above are pulled back; differences fit below 4, 8, 16, 32
PULL = 2e-3
WEIGHT_MAX = 127 / 64


def read_idx(folder, name):
    for path in (folder / name, folder / (name + ".gz")):
        if path.exists():
            data = path.read_bytes()
            data = gzip.decompress(data) if path.suffix == ".gz" else data
            rank = data[3]
            shape = struct.unpack(f">{rank}I", data[4:4 + 4 * rank])
            return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)
    sys.exit(f"{folder}: has neither {name} nor {name}.gz")


def augmented(images, rng):
    """Each image turned, sheared, scaled and moved a little; bilinear, outside is black."""
    n = len(images)
    turn = rng.uniform(-0.21, 0.21, n)
    shear = rng.uniform(-0.15, 0.15, n)
    scale_x, scale_y = 1 / rng.uniform(0.85, 1.15, (2, n))
    cos, sin = np.cos(turn), np.sin(turn)
    centre = (SIDE - 1) / 2
    y, x = np.mgrid[0:SIDE, 0:SIDE] - centre

    def mapped(a, b, move):
        return a[:, None, None] * x + b[:, None, None] * y + move[:, None, None] + centre

    sx = mapped(scale_x * cos, scale_x * (shear - sin), rng.uniform(-2, 2, n))
    sy = mapped(scale_y * sin, scale_y * cos, rng.uniform(-2, 2, n))
    padded = np.zeros((n, SIDE + 4, SIDE + 4), np.float32)
    padded[:, 2:-2, 2:-2] = images
    sx, sy = np.clip(sx + 2, 0, SIDE + 2.999), np.clip(sy + 2, 0, SIDE + 2.999)
    ix, iy = np.minimum(sx.astype(int), SIDE + 2), np.minimum(sy.astype(int), SIDE + 2)
    fx, fy = (sx - ix).astype(np.float32), (sy - iy).astype(np.float32)
    k = np.arange(n)[:, None, None]
    top = padded[k, iy, ix] * (1 - fx) + padded[k, iy, ix + 1] * fx
    bottom = padded[k, iy + 1, ix] * (1 - fx) + padded[k, iy + 1, ix + 1] * fx
    return top * (1 - fy) + bottom * fy


def pixels(images):
    """Grey values 0..255 to x = rint(p / 255 * 64) / 64, one channel last."""
    return (np.rint(np.asarray(images) / 255 * 64) / 64).astype(np.float32)[..., None]


def columns(x):
    """5x5 neighbourhoods with zero padding: (n, s, s, c) to (n*s*s, 25*c)."""
    n, s, _, c = x.shape
    padded = np.zeros((n, s + 4, s + 4, c), x.dtype)
    padded[:, 2:-2, 2:-2] = x
    out = np.empty((n, s, s, KERNEL * KERNEL, c), x.dtype)
    for k in range(KERNEL * KERNEL):
        dy, dx = divmod(k, KERNEL)
        out[:, :, :, k] = padded[:, dy:dy + s, dx:dx + s]
    return out.reshape(n * s * s, -1)


def columns_back(d, n, s, c):
    d = d.reshape(n, s, s, KERNEL * KERNEL, c)
    padded = np.zeros((n, s + 4, s + 4, c), d.dtype)
    for k in range(KERNEL * KERNEL):
        dy, dx = divmod(k, KERNEL)
        padded[:, dy:dy + s, dx:dx + s] += d[:, :, :, k]
    return padded[:, 2:-2, 2:-2]


def pooled(x):
    n, s, _, c = x.shape
    blocks = x.reshape(n, s // 2, 2, s // 2, 2, c)
    best = blocks.max(axis=(2, 4))
    return best, blocks


def pooled_back(d, best, blocks):
    """The gradient of a block goes to its largest entries, in equal parts."""
    mask = (blocks == best[:, :, None, :, None, :]).astype(np.float32)
    mask *= (d / mask.sum(axis=(2, 4)))[:, :, None, :, None, :]
    n, h, _, w, _, c = blocks.shape
    return mask.reshape(n, 2 * h, 2 * w, c)


def forward(x, weights, rng=None, keep=False):
    """Logits, and with `keep` what the backward pass needs. NHWC throughout."""
    (w1, b1), (w2, b2), (w3, b3), (w4, b4) = weights
    n = len(x)
    k1 = columns(x)
    a1 = (k1 @ w1 + b1).reshape(n, SIDE, SIDE, -1)
    p1, blocks1 = pooled(a1)
    r1 = np.maximum(p1, 0)
    k2 = columns(r1)
    a2 = (k2 @ w2 + b2).reshape(n, SIDE // 2, SIDE // 2, -1)
    p2, blocks2 = pooled(a2)
    r2 = np.maximum(p2, 0).reshape(n, -1)
    a3 = r2 @ w3 + b3
    r3 = np.maximum(a3, 0)
    if rng is not None:
        r3 = r3 * ((rng.random(r3.shape) >= DROPOUT) / np.float32(1 - DROPOUT)).astype(np.float32)
    a4 = r3 @ w4 + b4
    return (a4, (k1, p1, blocks1, k2, a2, p2, blocks2, r2, a3, r3)) if keep else a4


def pull_back(a, layer, n):
    """Gradient of PULL / 2 * (|a| - soft limit)^2 where that is positive."""
    over = np.abs(a) - np.float32(SOFT_LIMITS[layer])
    return np.sign(a) * np.maximum(over, 0) * np.float32(PULL / n)


def gradients(x, labels, weights, rng):
    n = len(x)
    a4, (k1, p1, blocks1, k2, a2, p2, blocks2, r2, a3, r3) = forward(x, weights, rng, keep=True)
    (w1, _), (w2, _), (w3, _), (w4, _) = weights
    e = np.exp(a4 - a4.max(axis=1, keepdims=True))
    d4 = e / e.sum(axis=1, keepdims=True)
    d4[np.arange(n), labels] -= 1
    d4 = d4 / n + pull_back(a4, 3, n)
    d3 = d4 @ w4.T * (r3 > 0) / np.float32(1 - DROPOUT) + pull_back(a3, 2, n)
    d2 = (d3 @ w3.T).reshape(p2.shape) * (p2 > 0)
    d2 = (pooled_back(d2, p2, blocks2) + pull_back(a2, 1, n)).reshape(len(k2), -1)
    d1 = columns_back(d2 @ w2.T, n, SIDE // 2, p1.shape[3]) * (p1 > 0)
    d1 = pooled_back(d1, p1, blocks1).reshape(len(k1), -1)
    return [(k1.T @ d1, d1.sum(0)), (k2.T @ d2, d2.sum(0)),
            (r2.T @ d3, d3.sum(0)), (r3.T @ d4, d4.sum(0))]


def rounded(weights):
    """Weights as written: multiples of 2^-6 that fit a signed byte."""
    return [(np.clip(np.rint(w * 64), -127, 127) / np.float32(64), b) for w, b in weights]


class Adam:
    def __init__(self, weights):
        self.first = [[np.zeros_like(a) for a in layer] for layer in weights]
        self.second = [[np.zeros_like(a) for a in layer] for layer in weights]
        self.steps = 0

    def step(self, weights, grads, rate):
        self.steps += 1
        lift1, lift2 = 1 - 0.9 ** self.steps, 1 - 0.999 ** self.steps
        for i, layer in enumerate(weights):
            for j, a in enumerate(layer):
                g, m, v = grads[i][j], self.first[i][j], self.second[i][j]
                m += np.float32(0.1) * (g - m)
                v += np.float32(0.001) * (g * g - v)
                a -= np.float32(rate / lift1) * m / (np.sqrt(v / np.float32(lift2)) + np.float32(1e-8))
                if j == 0:
                    a *= np.float32(1 - rate * DECAY)
                    np.clip(a, -WEIGHT_MAX, WEIGHT_MAX, out=a)


def bound_conv1(weights):
    """Keep |conv1| below 3.9 for any image at all, pixels being in [0, 1]."""
    w, b = weights[0]
    for sign in (1, -1):
        reach = np.maximum(sign * w, 0).sum(0) + np.maximum(sign * b, 0)
        w *= np.minimum(1, 3.9 / np.maximum(reach, 1e-6)).astype(np.float32)
    np.clip(b, -1, 1, out=b)


def accuracy(x, labels, weights):
    right = 0
    for i in range(0, len(x), 200):
        right += int((forward(x[i:i + 200], weights).argmax(1) == labels[i:i + 200]).sum())
    return right / len(x)


def initial(rng, c1=32, c2=64, hidden=1024, outputs=10):
    shapes = ((25, c1), (25 * c1, c2), (SIDE // 4 * (SIDE // 4) * c2, hidden), (hidden, outputs))
    return [(rng.normal(0, np.sqrt(2 / s[0]), s).astype(np.float32),
             np.zeros(s[1], np.float32)) for s in shapes]


def train(images, labels, epochs, seed):
    rng = np.random.default_rng(seed)
    weights = initial(rng)
    adam = Adam(weights)
    n = len(images[TRAIN])
    steps = epochs * (n // BATCH)
    check = pixels(images[VALIDATE])
    began = time.monotonic()
    for epoch in range(epochs):
        source = images[TRAIN].astype(np.float32)
        x = pixels(augmented(source, rng) if epoch < epochs - 1 else source)
        order = rng.permutation(n)
        for i in range(0, n - BATCH + 1, BATCH):
            pick = order[i:i + BATCH]
            rate = RATE_LAST + (RATE - RATE_LAST) * (1 + np.cos(np.pi * adam.steps / steps)) / 2
            adam.step(weights, gradients(x[pick], labels[TRAIN][pick], rounded(weights), rng), rate)
            bound_conv1(weights)
        print(f"epoch {epoch + 1:2d}/{epochs}: {100 * accuracy(check, labels[VALIDATE], rounded(weights)):.2f} % "
              f"of the validation images, {time.monotonic() - began:.0f} s", flush=True)
    return weights


def quantise(weights):
    """Integers in the order of the file: [output][ky][kx][channel] or [output][y][x][channel]."""
    return [(np.clip(np.rint(w * 64), -127, 127).astype(np.int64).T,
             np.rint(b.astype(np.float64) * 2.0 ** (UNIT_BITS * (i + 2))).astype(np.int64))
            for i, (w, b) in enumerate(weights)]


def evaluate(images, model):
    """Exact integer inference; logits and the largest |value| of each layer.

    Products run in float64, exact below 2^53: far above what the layers reach."""
    x = np.rint(images / 255 * 64)[..., None]
    most = []
    for i, (w, b) in enumerate(model):
        n, s = x.shape[:2]
        a = (columns(x) if i < 2 else x.reshape(n, -1)) @ w.T.astype(np.float64) + b
        most.append(float(np.abs(a).max()))
        if i < 2:
            a, _ = pooled(a.reshape(n, s, s, -1))
        x = np.maximum(a, 0) if i < 3 else a
    return x, most


def check_ranges(images, model):
    """Differences of two values are compared, so every |value| must stay below a quarter."""
    most = np.zeros(4)
    logits = []
    for i in range(0, len(images), 200):
        scores, part = evaluate(images[i:i + 200].astype(np.float64), model)
        logits.append(scores)
        most = np.maximum(most, part)
    for name, width, value in zip(NAMES, WIDTHS, most):
        print(f"{name}: largest |value| {value:.0f} = 2^{np.log2(value):.2f}, limit 2^{width - 2}")
        if value >= 2.0 ** (width - 2):
            sys.exit(f"{name}: values leave the {width} bits of its comparisons; train with more decay")
    return np.concatenate(logits)


def write_model(path, model):
    """The format of docs/cnn.md: header, digest of the rest, weights and biases."""
    body = b"".join(w.astype(np.int8).tobytes() + b.astype("<i4").tobytes() for w, b in model)
    kernels = (KERNEL, KERNEL, 1, 1)
    header = b"E3CNNMDL" + struct.pack("<4I", 1, SIDE, UNIT_BITS, len(model))
    for i, (w, b) in enumerate(model):
        inputs = w.shape[1] // (kernels[i] * kernels[i])
        header += struct.pack("<5I", w.shape[0], inputs, kernels[i], UNIT_BITS * (i + 2), WIDTHS[i])
    data = header + hashlib.sha256(header + body).digest() + body
    path.write_bytes(data)
    print(f"{path}: {len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("data/cnn/model.bin"))
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--seed", type=int, default=2026)
    args = parser.parse_args()
    images = read_idx(args.mnist, "train-images-idx3-ubyte")[:HELD_OUT.stop]
    labels = read_idx(args.mnist, "train-labels-idx1-ubyte")[:HELD_OUT.stop].astype(np.int64)
    if images.shape != (HELD_OUT.stop, SIDE, SIDE) or len(labels) != len(images):
        sys.exit(f"{args.mnist}: expected at least {HELD_OUT.stop} images of {SIDE} x {SIDE} with labels")
    model = quantise(train(images, labels, args.epochs, args.seed))
    logits = check_ranges(images, model)
    for name, part in (("trained on", TRAIN), ("validation", VALIDATE), ("held out", HELD_OUT)):
        right = logits[part].argmax(1) == labels[part]
        print(f"{name}: {right.sum()} of {len(right)} right, {100 * right.mean():.2f} %, integers")
    write_model(args.out, model)


if __name__ == "__main__":
    main()
