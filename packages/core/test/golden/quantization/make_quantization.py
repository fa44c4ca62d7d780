"""Writes quantization.safetensors: weights, and what llama.cpp's own library makes of them.

usage: pip install gguf==0.19.0 numpy safetensors; python make_quantization.py LIBGGML_BASE OUT_FILE
LIBGGML_BASE: libggml-base.so, e.g. of the npm package @node-llama-cpp/linux-x64@3.22.1 (bins/linux-x64).
Per type `bytes.T` where our bytes are to be the same, else of each row of 256 weights `error.T`, the squared error, and `weighted.T`, the
same with each error counted as llama.cpp counts it while it quantizes. `important.…` is the same with an importance matrix, of one row,
`importance`, by which `important.error.T` counts.
"""
import ctypes
import sys
import numpy as np
from gguf import GGMLQuantizationType as T, GGML_QUANT_SIZES, quants
from safetensors.numpy import save_file

quantize = ctypes.CDLL(sys.argv[1]).ggml_quantize_chunk
quantize.restype = ctypes.c_size_t
quantize.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p] + [ctypes.c_int64] * 3 + [ctypes.c_void_p]

rng = np.random.default_rng(7)
weights = (rng.normal(size=(40, 256)) * 10.0 ** rng.integers(-4, 2, (40, 1))).astype(np.float32)
weights[0] = 0
weights[1, :32] = np.arange(32) - 16            # exact halves after scaling, both signs
weights[2] = 1e-7 * weights[2]                  # scales that are subnormal halves
weights[3] = -abs(weights[3, 0])                # one value everywhere
weights[4] = 0.02 + abs(weights[4])             # nothing below zero
weights[5:10] = rng.standard_t(3, (5, 256)) * 0.02  # heavy tails
weights[10:15, ::37] *= 20                      # outliers
weights[15:20] = np.round(weights[15:20] / weights[15:20].max() * 7)  # already on a grid
weights[20:25] = rng.uniform(-0.05, 0.01, (5, 256))
out = {"weights": weights}

importance = np.random.default_rng(8).lognormal(-3, 2, 256).astype(np.float32)  # a few columns matter a hundred times as much
out["importance"] = importance
exact = weights.astype(np.float64)

for name in ("Q8_0", "Q4_0", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS", "IQ3_XXS", "IQ3_S"):
    length, size = GGML_QUANT_SIZES[T[name]]
    squares = (exact**2).reshape(40, -1, length).mean(axis=2, keepdims=True).repeat(length, axis=2).reshape(40, 256)
    for prefix, columns, counted in (
        ("", None, exact**2),
        ("important.", importance, importance * np.sqrt(2 * squares + exact**2)),
    ):
        blocks = np.zeros((40, 256 // length * size), np.uint8)
        quantize(T[name].value, weights.ctypes.data, blocks.ctypes.data, 0, 40, 256, columns.ctypes.data if prefix else None)
        if name.startswith("IQ"):
            error = (quants.dequantize(blocks, T[name]) - exact) ** 2
            out[f"{prefix}error.{name}"] = (error * (1 if columns is None else columns)).sum(axis=1).astype(np.float32)
            out[f"{prefix}weighted.{name}"] = (counted * error).sum(axis=1).astype(np.float32)
        else:
            out[f"{prefix}bytes.{name}"] = blocks
save_file(out, sys.argv[2])
