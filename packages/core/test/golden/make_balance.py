"""Writes balance/NAME.json: the balance loss of routers, and what it does to loss, gradients and five AdamW steps, as transformers computes it.

usage: pip install -r requirements.txt; python make_balance.py OUT_DIR

Of each checkpoint of models/ below, over the texts of its golden.safetensors, float32 on the CPU, `output_router_logits` on:
  aux_loss         load_balancing_loss_func of all layers
  loss             of the tokens, plus router_aux_loss_coef times that
  gradients        of the routers and of the first norm, every weight being trained
  curve            loss, aux_loss and gradient norm of each step; the rate is constant, norms are clipped to 1
"""
import json
import os
import sys

import torch
import transformers as T
from safetensors.torch import load_file

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES, COEFFICIENT, STEPS, RATE, WEIGHT_DECAY = ["qwen3-moe", "gpt-oss", "qwen3.5-moe"], 0.3, 5, 1e-3, 0.01
SHOWN = ("mlp.gate.weight", "mlp.router.weight", "layers.0.input_layernorm.weight")


def make(name):
    model = T.AutoModelForCausalLM.from_pretrained(f"{HERE}/models/{name}", dtype=torch.float32, attn_implementation="eager")
    model.train()
    model.router_aux_loss_coef = COEFFICIENT
    golden = load_file(f"{HERE}/models/{name}/golden.safetensors")
    ids, labels = golden["input_ids"].long(), golden["labels"].long()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=WEIGHT_DECAY)
    curve = dict(loss=[], aux_loss=[], grad_norm=[])
    gradients = {}
    for _ in range(STEPS):
        optimizer.zero_grad()
        result = model(input_ids=ids, labels=labels, output_router_logits=True, use_cache=False)
        result.loss.backward()
        if not gradients:
            gradients = {n: p.grad.flatten().tolist() for n, p in model.named_parameters() if n.endswith(SHOWN)}
        curve["grad_norm"].append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)))
        curve["loss"].append(float(result.loss))
        curve["aux_loss"].append(float(result.aux_loss))
        optimizer.step()
    return dict(
        source=f"transformers {T.__version__}, torch {torch.__version__}", router_aux_loss_coef=COEFFICIENT, lr=RATE,
        weight_decay=WEIGHT_DECAY, loss=curve["loss"][0], aux_loss=curve["aux_loss"][0], gradients=gradients, curve=curve,
    )


if __name__ == "__main__":
    os.makedirs(sys.argv[1], exist_ok=True)
    for each in NAMES:
        with open(f"{sys.argv[1]}/{each}.json", "w") as file:
            json.dump(make(each), file, indent=1)
