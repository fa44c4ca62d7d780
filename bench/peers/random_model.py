"""A folder with a published shape's config.json and random weights in bfloat16, made on the GPU.

usage: python bench/peers/random_model.py SHAPE FOLDER
Nothing is done where the folder is there already. Needs torch and transformers.
"""

import os
import sys

from shapes import config_of


def random_model(shape, folder):
    if os.path.exists(os.path.join(folder, "done")):
        return
    import torch
    import transformers

    torch.manual_seed(1)
    with torch.device("cuda"):
        model = transformers.AutoModelForCausalLM.from_config(config_of(shape), dtype=torch.bfloat16)
    model.save_pretrained(folder)
    open(os.path.join(folder, "done"), "w").close()
    del model
    torch.cuda.empty_cache()


if __name__ == "__main__":
    random_model(*sys.argv[1:])
