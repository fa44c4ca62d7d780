"""The peer of `anneal bench --suite sft`: PyTorch + transformers + PEFT doing the same optimizer steps, random weights of the same shape.

usage: python bench/peers/sft.py [--shape smollm2-135m] [--dtype f32|bf16] [--device cpu|cuda] [--rows 1] [--sequence-len 512]
                                 [--lora-r 16] [--compile] [--threads 2] [--steps 5]
Prints one JSON row. Needs torch, transformers and peft; not part of the tests.
"""

import argparse
import json
import os
import resource
import time

from shapes import SHAPES, config_of

arguments = argparse.ArgumentParser()
arguments.add_argument("--shape", default="smollm2-135m", choices=list(SHAPES))
arguments.add_argument("--dtype", default="f32", choices=["f32", "bf16"])
arguments.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
arguments.add_argument("--rows", type=int, default=1)
arguments.add_argument("--sequence-len", type=int, default=512)
arguments.add_argument("--lora-r", type=int, default=16)
arguments.add_argument("--compile", action="store_true")
arguments.add_argument("--threads", type=int, default=2)
arguments.add_argument("--warmup", type=int, default=2)
arguments.add_argument("--steps", type=int, default=5)
options = arguments.parse_args()
os.environ["OMP_NUM_THREADS"] = str(options.threads)

import peft  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402

torch.manual_seed(1)
torch.set_num_threads(options.threads)
dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[options.dtype]
on_gpu = options.device == "cuda"

config = config_of(options.shape)
with torch.device(options.device):
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=dtype)
model = peft.get_peft_model(model, peft.LoraConfig(r=options.lora_r, lora_alpha=options.lora_r, target_modules="all-linear", task_type="CAUSAL_LM"))
model.to(options.device)
model.train()
parameters = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(parameters, lr=1e-4, weight_decay=0.01, fused=on_gpu)
ids = torch.randint(0, config.vocab_size, (options.rows, options.sequence_len), device=options.device)
if options.compile:  # layer by layer, as PyTorch advises for repeated blocks: one compilation serves all of them
    for layer in model.base_model.model.model.layers:
        layer.compile()

milliseconds = []
for step in range(options.warmup + options.steps):
    start = time.perf_counter()
    loss = model(input_ids=ids, labels=ids, use_cache=False).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    optimizer.zero_grad()
    if on_gpu:
        torch.cuda.synchronize()
    if step >= options.warmup:
        milliseconds.append((time.perf_counter() - start) * 1000)

milliseconds.sort()
median = milliseconds[len(milliseconds) // 2]
peak = torch.cuda.max_memory_allocated() if on_gpu else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
versions = f"torch {torch.__version__}, transformers {transformers.__version__}, peft {peft.__version__}"
print(json.dumps({
    "suite": "sft", "peer": f"{versions}{', layers compiled' if options.compile else ''}", "shape": options.shape,
    "device": torch.cuda.get_device_name() if on_gpu else f"CPU, {options.threads} threads", "dtype": options.dtype, "quantization": "none",
    "activations": "keep", "rows": options.rows, "sequenceLen": options.sequence_len, "loraR": options.lora_r,
    "tokensPerSecond": options.rows * options.sequence_len / median * 1000, "msPerStep": median,
    "spread": (milliseconds[-1] - milliseconds[0]) / median, "peakGb": peak / 1e9, "steps": options.steps,
}))
