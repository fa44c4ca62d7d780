"""Writes models/bf16.json: how far the reference's own bfloat16 run is from its float32 run. What may be as far, but not much farther, is `verify --bf16`.

usage: pip install -r requirements.txt; python make_bf16.py MODELS_DIR OUT_FILE

NMSE is sum((a - b)²) / sum(b²) with b in float32. Per folder: of the logits; of the gradients, the worst and the median of all
tensors; and the same with the adapter, under lora.*; the loss by its relative difference.
"""
import json
import os
import sys

import peft
import torch
import transformers as T
from safetensors.torch import load_file


def nmse(a, b):
    a, b = a.double(), b.double()
    return float(((a - b) ** 2).sum() / (b**2).sum().clamp_min(1e-300))


def spread(pairs):
    errors = sorted(nmse(*pair) for pair in pairs)
    return errors[-1], errors[len(errors) // 2]


def backward(model, golden):
    ids, labels = golden["input_ids"].long(), golden["labels"].long()
    result = model(input_ids=ids, labels=labels, use_cache=False)
    result.loss.backward()
    return result


def yardstick(folder):
    golden = load_file(f"{folder}/golden.safetensors")
    config = T.AutoConfig.from_pretrained(folder)
    if (getattr(config, "moe_intermediate_size", None) or 8) % 8:  # torch's grouped product takes no rows of 24 bytes
        config._experts_implementation = "eager"
    model = T.AutoModelForCausalLM.from_pretrained(
        folder, config=config, dtype=torch.bfloat16, attn_implementation="eager"
    ).eval()
    result = backward(model, golden)
    loss = float(golden["loss"])
    errors = dict(logits=nmse(result.logits.float(), golden["logits"]), loss=abs(float(result.loss) - loss) / loss)
    compared = ((p.grad.float(), golden.get(f"grad.{n}")) for n, p in model.named_parameters() if p.grad is not None)
    errors["gradients_worst"], errors["gradients_median"] = spread(pair for pair in compared if pair[1] is not None)

    model.zero_grad()
    tuned = peft.PeftModel.from_pretrained(model, f"{folder}/adapter", is_trainable=True)
    errors["lora.logits"] = nmse(backward(tuned, golden).logits.float(), golden["lora.logits"])
    trained = ((n.replace(".default", ""), p) for n, p in tuned.named_parameters() if p.requires_grad)
    compared = ((p.grad.float(), golden.get(f"lora.grad.{n}")) for n, p in trained)
    worst, median = spread(pair for pair in compared if pair[1] is not None)
    errors["lora.gradients_worst"], errors["lora.gradients_median"] = worst, median
    return errors


if __name__ == "__main__":
    torch.set_num_threads(2)
    source, out = sys.argv[1:]
    names = [name for name in os.listdir(source) if os.path.isdir(f"{source}/{name}")]
    errors = {name: yardstick(f"{source}/{name}") for name in sorted(names)}
    with open(out, "w") as file:
        json.dump(errors, file, indent=2)
