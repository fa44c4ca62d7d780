"""Writes quants.safetensors: ggml's quantized blocks and what the reference decoder makes of them.

usage: pip install gguf==0.19.0 numpy safetensors; python make_quants.py OUT_FILE
The reference is llama.cpp's own Python package (PyPI: gguf), whose numpy code is kept bit-exact with ggml-quants.c.
"""
import sys
import numpy as np
from gguf import GGMLQuantizationType as T, GGML_QUANT_SIZES, quants
from safetensors.numpy import save_file

rng = np.random.default_rng(7)
BLOCKS = 24
HALVES = {  # byte offsets of half-precision scales within a block
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82],
    "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "MXFP4": [],
    "IQ4_NL": [0], "IQ4_XS": [0], "IQ3_XXS": [0], "IQ3_S": [0],
}
out = {}
for name, offsets in HALVES.items():
    size = GGML_QUANT_SIZES[T[name]][1]
    blocks = rng.integers(0, 256, (BLOCKS, size), dtype=np.uint8)
    for row in range(BLOCKS):
        for offset in offsets:  # mostly scales as weights have them; every sixth row any finite half, subnormals included
            half = np.float16(rng.normal() * 0.01)
            while row % 6 == 5:
                half = rng.integers(0, 65536, 1, dtype=np.uint16).view(np.float16)[0]
                if np.isfinite(half): break
            blocks[row, offset:offset + 2] = np.frombuffer(half.tobytes(), np.uint8)
    out[f"{name}.blocks"] = blocks
    out[f"{name}.weights"] = quants.dequantize(blocks, T[name])

save_file(out, sys.argv[1])
