"""Writes adamw_8bit/adamw8bit.safetensors: twenty steps of bitsandbytes' AdamW8bit, with its codes and absmaxes. Needs a GPU.

usage: pip install -r requirements.txt; python make_adamw_8bit.py OUT_FILE

`large` has more than the 4,096 elements from which on bitsandbytes keeps moments in 8 bits, `small` fewer. Of each: start, grad.STEP,
after.STEP for some steps, and at the end state1, state2, absmax1, absmax2, qmap1, qmap2.
"""
import sys

import bitsandbytes as bnb
import torch
from safetensors.torch import save_file

SEED = 99
SHAPES = dict(large=(64, 128), small=(16, 24))
STEPS, KEPT = 20, (0, 1, 9, 19)


def plain(tensor):
    return tensor.detach().contiguous().cpu().clone()


def steps(name, shape):
    parameter = torch.nn.Parameter(torch.randn(shape).cuda() * 0.02)
    values = {f"{name}.start": plain(parameter)}
    optimizer = bnb.optim.AdamW8bit([parameter], lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
    for step in range(STEPS):
        gradient = torch.randn(shape) * (0.5 + 0.1 * step)
        values[f"{name}.grad.{step}"] = gradient
        parameter.grad = gradient.cuda()
        optimizer.step()
        if step in KEPT:
            values[f"{name}.after.{step}"] = plain(parameter)
    state = optimizer.state[parameter]
    parts = ("state1", "state2", "absmax1", "absmax2", "qmap1", "qmap2")
    return values | {f"{name}.{part}": plain(state[part]) for part in parts if torch.is_tensor(state.get(part))}


if __name__ == "__main__":
    torch.manual_seed(SEED)
    for _ in range(2):  # the file that is here was made after the matrices of nf4/, which draw these
        torch.randn(96, 192), torch.rand(96, 1)
    save_file({key: value for name, shape in SHAPES.items() for key, value in steps(name, shape).items()}, sys.argv[1])
