"""Writes schedules/transformers.json: the learning rate of every step as transformers' schedules give it, in float64.

usage: pip install -r requirements.txt; python make_schedules.py OUT_FILE
"""
import json
import sys

import torch
import transformers as T

PEAK = 3e-4
CASES = [  # lr_scheduler_type, warm-up, steps, lr_scheduler_kwargs
    ("constant", 0, 5, {}),
    ("constant_with_warmup", 3, 7, {}),
    ("linear", 3, 23, {}),
    ("cosine", 3, 23, {}),
    ("cosine", 2, 17, dict(num_cycles=1.25)),
    ("cosine_with_min_lr", 3, 23, dict(min_lr_rate=0.1)),
    ("cosine_with_min_lr", 0, 19, dict(min_lr=2e-5, num_cycles=1.5)),
    ("cosine_warmup_with_min_lr", 4, 23, dict(min_lr_rate=0.1)),
    ("cosine_warmup_with_min_lr", 4, 23, dict(min_lr=1e-5, warmup_lr_rate=0.05)),
    ("cosine_warmup_with_min_lr", 1, 9, dict(min_lr_rate=0.2, warmup_lr_rate=0.5)),
    ("cosine_with_restarts", 3, 23, {}),
    ("cosine_with_restarts", 2, 32, dict(num_cycles=3)),
    ("polynomial", 3, 23, {}),
    ("polynomial", 0, 23, dict(lr_end=1e-5, power=2.5)),
    ("polynomial", 5, 12, dict(lr_end=0.0, power=0.5)),
    ("inverse_sqrt", 4, 23, {}),
    ("inverse_sqrt", 0, 23, {}),
    ("inverse_sqrt", 4, 23, dict(timescale=50)),
    ("warmup_stable_decay", 4, 23, dict(num_decay_steps=8)),
    ("warmup_stable_decay", 4, 23, dict(num_decay_steps=8, decay_type="linear", warmup_type="cosine", min_lr_ratio=0.1)),
    ("warmup_stable_decay", 5, 20, dict(num_decay_steps=15, decay_type="1-sqrt", warmup_type="1-sqrt")),
    ("warmup_stable_decay", 0, 20, dict(num_decay_steps=6, num_stable_steps=9, min_lr_ratio=0.25, num_cycles=1.5)),
    ("warmup_stable_decay", 2, 10, dict(num_decay_steps=0)),
]


def rates(name, warmup, steps, arguments):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
    schedule = T.get_scheduler(name, optimizer, warmup, steps, scheduler_specific_kwargs=arguments)
    found = []
    for _ in range(steps):
        found.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return dict(lr_scheduler=name, warmup_steps=warmup, max_steps=steps, lr_scheduler_kwargs=arguments, rates=found)


if __name__ == "__main__":
    source = f"transformers {T.__version__}, torch {torch.__version__}: get_scheduler(...).get_last_lr() before each step"
    with open(sys.argv[1], "w") as file:
        json.dump(dict(source=source, learning_rate=PEAK, cases=[rates(*case) for case in CASES]), file, indent=1)
