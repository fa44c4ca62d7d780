"""The peer of `anneal bench --suite sft`: Unsloth doing the same optimizer steps, random weights of the same shape.

usage: python bench/peers/unsloth_sft.py [--shape qwen3-0.6b] [--activations keep|recompute] [--quantization none|nf4] [--rows 2]
                                         [--sequence-len 2048] [--lora-r 16] [--steps 20]
Unsloth loads models from a folder: one with random weights is made below --folder and kept for the next call.
Prints one JSON row. Needs unsloth and bitsandbytes, and a GPU; not part of the tests.
"""

import argparse
import json
import os
import time

from random_model import random_model
from shapes import SHAPES

TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

arguments = argparse.ArgumentParser()
arguments.add_argument("--shape", default="qwen3-0.6b", choices=list(SHAPES))
arguments.add_argument("--activations", default="keep", choices=["keep", "recompute"])
arguments.add_argument("--quantization", default="none", choices=["none", "nf4"])
arguments.add_argument("--rows", type=int, default=2)
arguments.add_argument("--sequence-len", type=int, default=2048)
arguments.add_argument("--lora-r", type=int, default=16)
arguments.add_argument("--folder", default="/tmp/unsloth-models")
arguments.add_argument("--warmup", type=int, default=3)
arguments.add_argument("--steps", type=int, default=20)
options = arguments.parse_args()
os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", UNSLOTH_DISABLE_STATISTICS="1")

import unsloth  # noqa: E402, I001 (before transformers, which it changes)
import bitsandbytes  # noqa: E402
import tokenizers  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from unsloth import FastLanguageModel  # noqa: E402


def with_tokenizer(folder):
    """Unsloth wants one beside the weights; which does not matter to random tokens."""
    words = {"<unk>": 0, "<s>": 1, "</s>": 2, "<pad>": 3} | {f"w{i}": i for i in range(4, 1000)}
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="<unk>")),
        unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="<pad>")
    tokenizer.save_pretrained(folder)


folder = os.path.join(options.folder, options.shape)
random_model(options.shape, folder)
with_tokenizer(folder)
checkpointing = "unsloth" if options.activations == "recompute" else False
model, _ = FastLanguageModel.from_pretrained(
    folder, max_seq_length=options.sequence_len, dtype=torch.bfloat16, load_in_4bit=options.quantization == "nf4",
    use_gradient_checkpointing=checkpointing)
model = FastLanguageModel.get_peft_model(
    model, r=options.lora_r, lora_alpha=options.lora_r, lora_dropout=0, bias="none", target_modules=TARGETS, random_state=1,
    use_gradient_checkpointing=checkpointing)
FastLanguageModel.for_training(model, use_gradient_checkpointing=checkpointing)
parameters = [p for p in model.parameters() if p.requires_grad]
optimizer = bitsandbytes.optim.AdamW8bit(parameters, lr=1e-4, weight_decay=0.01)
ids = torch.randint(0, model.config.vocab_size, (options.rows, options.sequence_len), device="cuda")
torch.cuda.reset_peak_memory_stats()

milliseconds = []
for step in range(options.warmup + options.steps):
    start = time.perf_counter()
    loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    optimizer.zero_grad()
    torch.cuda.synchronize()
    if step >= options.warmup:
        milliseconds.append((time.perf_counter() - start) * 1000)

milliseconds.sort()
median = milliseconds[len(milliseconds) // 2]
print(json.dumps({
    "suite": "sft", "peer": f"unsloth {unsloth.__version__}, torch {torch.__version__}, transformers {transformers.__version__}",
    "shape": options.shape, "device": torch.cuda.get_device_name(), "dtype": "bf16", "quantization": options.quantization,
    "activations": options.activations, "rows": options.rows, "sequenceLen": options.sequence_len, "loraR": options.lora_r,
    "tokensPerSecond": options.rows * options.sequence_len / median * 1000, "msPerStep": median,
    "spread": (milliseconds[-1] - milliseconds[0]) / median, "peakGb": torch.cuda.max_memory_allocated() / 1e9, "steps": options.steps,
}))
