"""Writes rope/transformers.json: the inverse frequencies of every kind of rotary scaling, as transformers computes them in float32.

usage: pip install -r requirements.txt; python make_rope.py OUT_FILE
"""
import json
import sys

import torch
import transformers as T
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

YARN = dict(rope_type="yarn")
CASES = [  # name, head size, max_position_embeddings, rope_theta, what scales
    ("default, SmolLM2", 64, 8192, 1e5, dict(rope_type="default")),
    ("default, Qwen3", 128, 40960, 1e6, dict(rope_type="default")),
    ("linear", 32, 4096, 1e4, dict(rope_type="linear", factor=2.5)),
    *(
        (name, size, 131072, 5e5, dict(
            rope_type="llama3", factor=factor, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=8192
        ))
        for name, size, factor in (("Llama 3.1", 128, 8.0), ("Llama 3.2 1B", 64, 32.0))
    ),
    ("YaRN, Qwen3", 128, 131072, 1e6, dict(YARN, factor=4.0, original_max_position_embeddings=32768)),
    ("YaRN with all parameters", 96, 30720, 1e4, dict(
        YARN, factor=7.5, original_max_position_embeddings=4096, beta_fast=20.0, beta_slow=2.0, attention_factor=1.25, truncate=False
    )),
    ("YaRN with mscale", 64, 163840, 1e4, dict(
        YARN, factor=40.0, original_max_position_embeddings=4096, mscale=1.0, mscale_all_dim=0.707
    )),
    ("YaRN whose ramp is one point", 8, 24, 1e4, dict(YARN, factor=4.0, original_max_position_embeddings=6)),
    *(  # its own factor says how strong attention is, not that of the contexts, which is 16
        (name, 64, 16384, 1e4, dict(
            factor, rope_type="longrope", original_max_position_embeddings=1024,
            short_factor=[1 + i / 64 for i in range(32)], long_factor=[1 + i for i in range(32)],
        ))
        for name, factor in (("LongRoPE", {}), ("LongRoPE with a factor", dict(factor=4.0)))
    ),
]


def frequencies(name, head_size, max_positions, theta, scaling):
    rope = dict(scaling, rope_theta=theta)
    config = T.LlamaConfig(
        hidden_size=head_size, num_attention_heads=1, head_dim=head_size, max_position_embeddings=max_positions,
        rope_parameters=dict(rope),
    )
    rotary = LlamaRotaryEmbedding(config)
    return dict(
        name=name, headSize=head_size, maxPositions=max_positions, rope=rope,
        inverse=[float(value) for value in rotary.inv_freq], attentionScale=float(rotary.attention_scaling),
    )


if __name__ == "__main__":
    source = f"transformers {T.__version__}, torch {torch.__version__}: LlamaRotaryEmbedding(config).inv_freq, attention_scaling"
    with open(sys.argv[1], "w") as file:
        json.dump(dict(source=source, cases=[frequencies(*case) for case in CASES]), file, indent=1)
