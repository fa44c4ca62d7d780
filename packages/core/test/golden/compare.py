"""Compares golden values that were made again with those that are here, tensor by tensor and key by key.

usage: python compare.py OLD [OLD ...] NEW      files or folders; prints a line per file, and fails where a difference is larger than its tolerance

A file of NEW is compared with that of the first OLD which has it.
The difference of numbers is relative to the largest of their tensor or list. Versions that a file tells of are left out, and how well two ways
to compute it agreed, which is rounding and nothing else.
"""
import json
import os
import sys

import numpy as np
import torch
from safetensors.torch import load_file

TOLERANCE = 1e-4
# Gradients of the decays of Qwen3.5: sums over tokens of terms that cancel.
CANCELLING, CANCELLED_TOLERANCE = ("A_log", "dt_bias"), 1e-3
ABOUT = {
    "source", "torch", "transformers", "peft", "package", "base_model_name_or_path", "agreement_float64", "agreement_float32"
}  # fmt: skip


def excess(found):
    """How large a difference is, where 1 is just allowed."""
    size, where = found
    return size / (CANCELLED_TOLERANCE if where.startswith(".grad.") and where.endswith(CANCELLING) else TOLERANCE)


def difference(old, new, where):
    """The largest difference, and where it is; infinite where anything but a number differs."""
    if isinstance(old, dict) and isinstance(new, dict):
        if old.keys() != new.keys():
            return np.inf, f"{where}: keys {sorted(old.keys() ^ new.keys())}"
        found = [difference(old[k], new[k], f"{where}.{k}") for k in old if k not in ABOUT]
        return max(found, default=(0.0, where), key=excess)
    if isinstance(old, list) and isinstance(new, list) and not all(isinstance(x, (int, float)) for x in old):
        if len(old) != len(new):
            return np.inf, f"{where}: {len(old)} against {len(new)} entries"
        if all(isinstance(x, str) for x in old + new):  # PEFT writes sets
            old, new = sorted(old), sorted(new)
        return max((difference(a, b, f"{where}.{i}") for i, (a, b) in enumerate(zip(old, new))), key=excess)
    if isinstance(old, (list, float, np.ndarray)):
        a, b = np.asarray(old), np.asarray(new)
        if a.shape != b.shape or a.dtype != b.dtype:
            return np.inf, f"{where}: shape or type"
        if a.dtype.kind != "f":
            return (0.0 if np.array_equal(a, b) else np.inf), where
        a, b = a.astype(np.float64), b.astype(np.float64)
        return float(np.abs(a - b).max(initial=0) / max(np.abs(a).max(initial=0), 1e-30)), where
    return (0.0 if old == new else np.inf), where


def read(path):
    if path.endswith(".safetensors"):
        tensors = load_file(path)
        return {k: (t.float() if t.dtype == torch.bfloat16 else t).numpy() for k, t in tensors.items()}
    with open(path) as file:
        return [json.loads(line) for line in file] if path.endswith(".jsonl") else json.load(file)


def files_of(path):
    if os.path.isfile(path):
        return [""]
    found = [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]
    return sorted(os.path.relpath(f, path) for f in found if f.endswith((".safetensors", ".json", ".jsonl")))


if __name__ == "__main__":
    *old, new = sys.argv[1:]
    worst = 0.0
    for name in files_of(new):
        *known, again = (os.path.join(root, name) if name else root for root in (*old, new))
        here = next(filter(os.path.exists, known), None)
        found, where = difference(read(here), read(again), "") if here else (np.inf, "not here")
        print(f"{found:8.1e}  {name or new}  {where if found else ''}")
        worst = max(worst, excess((found, where)))
    sys.exit(0 if worst <= 1 else f"{worst:.1f} times what is allowed")
