"""Writes models/bf16.json: how far the reference's own bfloat16 run is from its float32 run. What may be as far, but not much farther, is `verify --dtype bf16`.

usage: pip install -r requirements.txt; python make_bf16.py MODELS_DIR OUT_FILE

NMSE is sum((a - b)²) / sum(b²) with b in float32. Per folder: of the logits; of the gradients, the worst and the median of all
tensors; and the same with the adapter, under lora.*; the loss by its relative difference.

In SEVERAL_TEXTS are models whose routers have near ties, or whose gradients cancel: their errors differ from text to text by factors of a
hundred. Each of theirs is the median over `texts` texts: the golden one, and the same with other words.
"""
import json
import os
import sys
from statistics import median

import peft
import torch
import transformers as T
from safetensors.torch import load_file

from make_models import name_in_file


def nmse(a, b):
    a, b = a.double(), b.double()
    return float(((a - b) ** 2).sum() / (b**2).sum().clamp_min(1e-300))


SEVERAL_TEXTS = ("deepseek-v3", "gemma4-moe", "glm4-moe", "gpt-oss", "granite4-moe", "qwen3.5", "qwen3.5-moe")
TEXTS = 48
WORDS_BETWEEN_TEXTS = 5


def reworded(ids, by, vocabulary):
    """As `reworded` in packages/core/src/verify/batches.ts; -100 stays."""
    return torch.where(ids < 3, ids, 3 + (ids - 3 + by) % (vocabulary - 3))


def values(model, ids, labels, prefix):
    """Logits, loss, and the gradients of parameters that are trained, by their names in golden.safetensors."""
    model.zero_grad()
    result = model(input_ids=ids, labels=labels, use_cache=False)
    result.loss.backward()
    trained = ((n.replace(".default", ""), p.grad) for n, p in model.named_parameters() if p.requires_grad)
    gradients = {f"{prefix}grad.{name_in_file(n)}": grad.float().clone() for n, grad in trained if grad is not None}
    return {f"{prefix}logits": result.logits.detach().float(), f"{prefix}loss": float(result.loss)} | gradients


def errors(ours, reference, names):
    of_loss = {n: abs(ours[n] - float(reference[n])) / float(reference[n]) for n in names if n.endswith("loss")}
    return of_loss | {n: nmse(ours[n], reference[n]) for n in names if n not in of_loss}


def summary(of_texts, prefix):
    medians = {name: median(of_text[name] for of_text in of_texts) for name in of_texts[0]}
    tensors = sorted(error for name, error in medians.items() if name.startswith(f"{prefix}grad."))
    return {
        f"{prefix}logits": medians[f"{prefix}logits"],
        f"{prefix}loss": medians[f"{prefix}loss"],
        f"{prefix}gradients_worst": tensors[-1],
        f"{prefix}gradients_median": tensors[len(tensors) // 2],
    }


def load(folder, dtype):
    config = T.AutoConfig.from_pretrained(folder)
    if (getattr(config, "moe_intermediate_size", None) or 8) % 8:  # torch's grouped product takes no rows of 24 bytes
        config._experts_implementation = "eager"
    return T.AutoModelForCausalLM.from_pretrained(folder, config=config, dtype=dtype, attn_implementation="eager").eval()


def with_adapter(model, folder):
    return peft.PeftModel.from_pretrained(model, f"{folder}/adapter", is_trainable=True).eval()


def yardstick(folder):
    golden = load_file(f"{folder}/golden.safetensors")
    ids, labels = golden["input_ids"].long(), golden["labels"].long()
    several = os.path.basename(folder) in SEVERAL_TEXTS
    texts = TEXTS if several else 1
    found = {"texts": texts} if several else {}
    for prefix, prepared in (("", lambda model, _: model), ("lora.", with_adapter)):
        rounded = prepared(load(folder, torch.bfloat16), folder)
        exact = prepared(load(folder, torch.float32), folder) if several else None
        of_texts = []
        for text in range(texts):
            words = [reworded(t, WORDS_BETWEEN_TEXTS * text, rounded.config.vocab_size) for t in (ids, labels)]
            reference = values(exact, *words, prefix) if text else golden
            ours = values(rounded, *words, prefix)
            of_texts.append(errors(ours, reference, [n for n in ours if n in golden]))
        found |= summary(of_texts, prefix)
    return found


if __name__ == "__main__":
    torch.set_num_threads(2)
    source, out = sys.argv[1:]
    names = [name for name in os.listdir(source) if os.path.isdir(f"{source}/{name}")]
    with open(out, "w") as file:
        json.dump({name: yardstick(f"{source}/{name}") for name in sorted(names)}, file, indent=2)
