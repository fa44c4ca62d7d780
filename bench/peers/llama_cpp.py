"""llama.cpp's own library: its file of a type, and its perplexity of a file.

usage: pip install numpy
       python llama_cpp.py BINS quantize FLOAT32.gguf OUT.gguf TYPE     TYPE is one of those below
       python llama_cpp.py BINS perplexity MODEL.gguf TEXT.txt WINDOWS  windows of 512 tokens, of which the second half counts, as
                                                                        llama-perplexity does it; prints a number
BINS is the folder of libllama, e.g. node_modules/@node-llama-cpp/linux-x64/bins/linux-x64 of @node-llama-cpp/linux-x64@3.22.1.
"""
import ctypes
import glob
import os
import sys

import numpy as np

WINDOW = 512
# llama_ftype of llama.h.
TYPES = {
    "f16": 1, "q4_0": 2, "q8_0": 7, "q5_0": 8, "q2_k": 10, "q3_k_m": 12, "q4_k_s": 14, "q4_k_m": 15, "q5_k_s": 16,
    "q5_k_m": 17, "q6_k": 18, "iq4_nl": 25, "iq3_s": 26, "iq3_m": 27, "iq4_xs": 30, "bf16": 32,
}  # fmt: skip


class Params(ctypes.Structure):
    """Parameters by value: llama.cpp fills in its defaults, and reads as many of these bytes as its own structure has."""

    _fields_ = [("words", ctypes.c_int32 * 64)]


class Batch(ctypes.Structure):
    _fields_ = [
        ("count", ctypes.c_int32),
        ("tokens", ctypes.POINTER(ctypes.c_int32)),
        ("embeddings", ctypes.c_void_p),
        ("positions", ctypes.POINTER(ctypes.c_int32)),
        ("sequence_counts", ctypes.POINTER(ctypes.c_int32)),
        ("sequences", ctypes.POINTER(ctypes.POINTER(ctypes.c_int32))),
        ("wanted", ctypes.POINTER(ctypes.c_int8)),
    ]


def library(folder, name):
    (path,) = [*glob.glob(os.path.join(folder, f"{name}.so")), *glob.glob(os.path.join(folder, f"{name}.v*.so"))]
    return ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)


def open_llama(folder):
    library(folder, "libggml-base")
    library(folder, "libggml").ggml_backend_load_all_from_path(folder.encode())
    llama = library(folder, "libllama")
    for what in ("model_quantize", "model", "context"):
        getattr(llama, f"llama_{what}_default_params").restype = Params
    for name in ("model_load_from_file", "init_from_model", "model_get_vocab", "get_memory"):
        getattr(llama, f"llama_{name}").restype = ctypes.c_void_p
    llama.llama_batch_init.restype = Batch
    llama.llama_get_logits_ith.restype = ctypes.POINTER(ctypes.c_float)
    return llama


def quantize(llama, source, target, kind):
    params = llama.llama_model_quantize_default_params()
    params.words[0], params.words[1] = os.cpu_count(), TYPES[kind]
    if llama.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(params)):
        sys.exit(f"llama.cpp could not make {target}")


def perplexity(llama, path, text_path, windows):
    model = ctypes.c_void_p(llama.llama_model_load_from_file(path.encode(), llama.llama_model_default_params()))
    params = llama.llama_context_default_params()
    params.words[0:3] = [WINDOW] * 3  # tokens of the context, of a batch, of a part of it
    context = ctypes.c_void_p(llama.llama_init_from_model(model, params))
    llama.llama_set_n_threads(context, os.cpu_count(), os.cpu_count())
    vocabulary = ctypes.c_void_p(llama.llama_model_get_vocab(model))
    size = llama.llama_vocab_n_tokens(vocabulary)
    with open(text_path, "rb") as file:
        text = file.read(windows * WINDOW * 12)
    tokens = (ctypes.c_int32 * len(text))()
    count = llama.llama_tokenize(vocabulary, text, len(text), tokens, len(text), False, False)
    if count < windows * WINDOW:
        sys.exit(f"{text_path} has {count} tokens, too few")
    batch = llama.llama_batch_init(WINDOW, 0, 1)
    losses = []
    for start in range(0, windows * WINDOW, WINDOW):
        ids = tokens[start : start + WINDOW]
        llama.llama_memory_clear(ctypes.c_void_p(llama.llama_get_memory(context)), True)
        batch.count = WINDOW
        for i, token in enumerate(ids):
            batch.tokens[i], batch.positions[i], batch.sequence_counts[i] = token, i, 1
            batch.sequences[i][0], batch.wanted[i] = 0, WINDOW // 2 <= i < WINDOW - 1
        if llama.llama_decode(context, batch):
            sys.exit("llama.cpp could not evaluate the text")
        for i in range(WINDOW // 2, WINDOW - 1):
            logits = np.ctypeslib.as_array(llama.llama_get_logits_ith(context, i), (size,)).astype(np.float64)
            largest = logits.max()
            losses.append(np.log(np.exp(logits - largest).sum()) + largest - logits[ids[i + 1]])
    return float(np.exp(np.mean(losses)))


folder, verb, *rest = sys.argv[1:]
llama = open_llama(folder)
if verb == "quantize":
    quantize(llama, *rest)
else:
    print(perplexity(llama, rest[0], rest[1], int(rest[2])))
