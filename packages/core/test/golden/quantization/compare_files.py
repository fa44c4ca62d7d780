"""Compares GGUF files of one model: how far ours and llama.cpp's own are from the float32 weights, and where their bytes are equal.

usage: pip install gguf==0.19.0 numpy; python compare_files.py FLOAT32.gguf OURS.gguf THEIRS.gguf

Prints a line per type: tensors, those of equal bytes, the sum of squared errors of ours over theirs, tensors and rows in which ours is
larger, and the largest ratio of a row. Fails where a tensor of ours has another type or a larger error.
"""
import sys
from collections import defaultdict

import numpy as np
from gguf import GGUFReader, quants


def decoded(tensor):
    return quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float64)


def main(exact, ours, theirs):
    exact, ours, theirs = ({t.name: t for t in GGUFReader(path).tensors} for path in (exact, ours, theirs))
    found = defaultdict(lambda: dict(equal=0, tensors=0, ours=0.0, theirs=0.0, worse=0, rows=[]))
    other_types = [name for name in ours if ours[name].tensor_type != theirs[name].tensor_type]
    for name, tensor in ours.items():
        if name in other_types or tensor.tensor_type.name in ("F32", "F16"):
            continue
        of = found[tensor.tensor_type.name]
        of["tensors"] += 1
        if np.array_equal(tensor.data, theirs[name].data):
            of["equal"] += 1
            continue
        weights = decoded(exact[name])
        mine, other = (((decoded(each) - weights) ** 2).sum(axis=-1).ravel() for each in (tensor, theirs[name]))
        of["ours"] += mine.sum()
        of["theirs"] += other.sum()
        of["worse"] += int(mine.sum() > other.sum())
        of["rows"].append(mine / np.maximum(other, 1e-30))
    for name, of in found.items():
        rows = np.concatenate(of["rows"] or [np.ones(1)])
        ratio = of["ours"] / of["theirs"] if of["theirs"] else 1
        print(f"{name:5} {of['tensors']:4} tensors, {of['equal']:4} equal, error {ratio:.4f}, {of['worse']} tensors and "
              f"{(rows > 1).mean():.2%} of rows worse, a row at most {rows.max():.3f}")
    print(f"{len(other_types)} tensors of another type {other_types[:3]}")
    return 1 if other_types or any(of["worse"] for of in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
