"""Writes optimizers/optimizers.safetensors: steps of Lion, Adafactor, Muon and schedule-free AdamW on three parameters, on the CPU.

usage: pip install -r requirements.txt; python make_optimizers.py OUT_FILE

`wide`, `tall` and `vector` get the same gradients from each: start.NAME, grad.NAME.STEP, rate.STEP. Of each optimizer: OPTIMIZER.NAME.STEP
after some steps, and at the end OPTIMIZER.NAME.state.PART. Muon moves the vector by AdamW, as torch's documentation has it; `muon` forms
its products in float32, `muon_bf16` in bfloat16 as torch does. Of schedule-free AdamW the values are y, where gradients are taken, and
`x` the averages.
"""
import sys

import bitsandbytes as bnb
import torch
import transformers as T
from safetensors.torch import save_file
from schedulefree import AdamWScheduleFree

SEED = 4
SHAPES = dict(wide=(6, 40), tall=(24, 5), vector=(7,))
STEPS, KEPT = 12, (0, 1, 5, 11)
RATES = [0.01 * (step + 1) / 4 if step < 4 else 0.01 for step in range(STEPS)]
DECAY = 0.01


def lion(parameters):
    return [bnb.optim.Lion(parameters.values(), lr=0, betas=(0.9, 0.99), weight_decay=DECAY)]


def adafactor(parameters):
    return [T.Adafactor(parameters.values(), lr=1.0, scale_parameter=False, relative_step=False, weight_decay=DECAY)]


def muon(parameters):
    matrices = [value for value in parameters.values() if value.ndim == 2]
    vectors = [value for value in parameters.values() if value.ndim == 1]
    return [torch.optim.Muon(matrices, lr=1e-3, weight_decay=DECAY), torch.optim.AdamW(vectors, lr=1e-3, weight_decay=DECAY)]


def muon_float32(parameters):
    torch.Tensor.bfloat16 = torch.Tensor.clone
    return muon(parameters)


def schedule_free(parameters):
    optimizer = AdamWScheduleFree(parameters.values(), lr=1.0, weight_decay=DECAY, foreach=False)
    optimizer.train()
    return [optimizer]


def steps(name, make, start, gradients):
    parameters = {key: torch.nn.Parameter(value.clone()) for key, value in start.items()}
    optimizers = make(parameters)
    values = {}
    for step in range(STEPS):
        for key, parameter in parameters.items():
            parameter.grad = gradients[key][step].clone()
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = RATES[step]
            optimizer.step()
        if step in KEPT:
            values |= {f"{name}.{key}.{step}": value.detach().clone() for key, value in parameters.items()}
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                key = next(key for key, value in parameters.items() if value is parameter)
                for part, state in optimizer.state[parameter].items():
                    if torch.is_tensor(state) and state.ndim > 0:
                        values[f"{name}.{key}.state.{part}"] = state.clone()
    if name == "schedule_free":
        optimizers[0].eval()
        values |= {f"{name}.{key}.state.x": value.detach().clone() for key, value in parameters.items()}
    return values


if __name__ == "__main__":
    torch.manual_seed(SEED)
    start = {key: torch.randn(shape) for key, shape in SHAPES.items()}
    gradients = {key: [torch.randn(shape) * (0.5 + 0.1 * step) for step in range(STEPS)] for key, shape in SHAPES.items()}
    values = {f"start.{key}": value for key, value in start.items()}
    values |= {f"grad.{key}.{step}": value for key, each in gradients.items() for step, value in enumerate(each)}
    values |= {"rates": torch.tensor(RATES)}
    makers = dict(lion=lion, adafactor=adafactor, schedule_free=schedule_free, muon_bf16=muon, muon=muon_float32)
    for name, make in makers.items():
        values |= steps(name, make, start, gradients)
    save_file({key: value.contiguous() for key, value in values.items()}, sys.argv[1])
