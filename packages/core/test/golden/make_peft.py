"""Golden values of PEFT's kinds of LoRA over checkpoints that exist: float32 on the CPU.

Of each: adapter/ as PEFT saves it before training, moved off a start where it does nothing; curves.json; golden.safetensors with
  input_ids, labels; base.logits (row 0 without the adapter); logits and loss with it; merged.logits (row 0);
  grad.NAME of every trained tensor; trained.logits (row 0 after ten AdamW steps). NAME is PEFT's parameter name without ".default".
usage: python make_peft.py OUT_DIR [KIND ...]          beside models/; every kind has a seed of its own
       python make_peft.py --again OUT_DIR FOLDER ...  the values of folders that are here, from their adapters and rows
Kinds that are here and not in KINDS came with their adapters from elsewhere: of them the second repeats every value
(of loftq on a GPU, with scipy).
"""
import copy, json, os, shutil, sys, torch, transformers, peft
from safetensors.torch import load_file, save_file

SEVEN = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
# kind: (seed, base, LoraConfig's arguments)
KINDS = {
    "dora": (4321, "llama3", dict(use_dora=True, target_modules=SEVEN)),
    "rslora-dora": (4322, "llama3", dict(r=8, use_rslora=True, use_dora=True, target_modules=["q_proj", "o_proj", "down_proj"])),
    "patterns": (4330, "llama3", dict(target_modules=SEVEN, rank_pattern={r"layers\.0\..*q_proj": 2, "down_proj": 6, r"^model\.layers\.1\.self_attn\.v_proj": 3},
                                      alpha_pattern={r"layers\.[1]\..*(q|k)_proj": 32, "down_proj": 3})),
    "lora-head-embed-tied": (4331, "smollm2", dict(target_modules=["q_proj", "v_proj", "embed_tokens", "lm_head"])),
    "layers-to-transform": (4333, "llama3", dict(layers_to_transform=[1], layers_pattern="layers", target_modules=SEVEN)),
}
OPTIMIZER = dict(name="adamw", betas=[0.9, 0.999], eps=1e-8, weight_decay=0.01, max_grad_norm=1.0, warmup_steps=2, steps=10)
RATE = 5e-3


def rows(vocabulary, seed, length=24):
    ids = torch.randint(3, vocabulary, (2, length), generator=torch.Generator().manual_seed(seed))
    for i, token in enumerate((7, 42, 99)):
        ids[:, 4 + 5 * i] = token
    labels = ids.clone()
    labels[0, :6] = -100
    labels[1, length - 3:] = -100
    return ids, labels


def move_off(model):
    """Away from starts where the adapter does nothing: B and biases are 0, a magnitude is the norm of the weight."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if not p.requires_grad:
                continue
            if "lora_B" in name:
                p.add_(0.05 * torch.randn_like(p))
            elif "lora_embedding_A" in name:
                p.add_(0.05 * torch.randn_like(p))
            elif "magnitude" in name:
                p.mul_(1 + 0.1 * torch.randn_like(p))


def train(model, ids, labels):
    trained = [p for p in model.parameters() if p.requires_grad]
    warm_up, steps = OPTIMIZER["warmup_steps"], OPTIMIZER["steps"]
    optimizer = torch.optim.AdamW(trained, lr=RATE, betas=tuple(OPTIMIZER["betas"]), eps=OPTIMIZER["eps"], weight_decay=OPTIMIZER["weight_decay"])
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: s / warm_up if s < warm_up else max(0.0, (steps - s) / (steps - warm_up)))
    losses, norms, rates = [], [], []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = model(input_ids=ids, labels=labels, use_cache=False).loss
        loss.backward()
        losses.append(loss.item())
        norms.append(torch.nn.utils.clip_grad_norm_(trained, OPTIMIZER["max_grad_norm"]).item())
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return losses, norms, rates


def base_model(base):
    models = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models")
    return transformers.AutoModelForCausalLM.from_pretrained(f"{models}/{base}", dtype=torch.float32, attn_implementation="eager").eval()


def make(folder, kind):
    seed, base, arguments = KINDS[kind]
    torch.manual_seed(seed)
    plain = base_model(base)
    ids, labels = rows(plain.config.vocab_size, seed)
    model = peft.get_peft_model(plain, peft.LoraConfig(**{**dict(r=4, lora_alpha=8, lora_dropout=0.0, task_type="CAUSAL_LM"), **copy.deepcopy(arguments)}))
    move_off(model)
    shutil.rmtree(folder, ignore_errors=True)
    model.peft_config["default"].base_model_name_or_path = f"golden/{base}"
    model.save_pretrained(f"{folder}/adapter")
    if os.path.exists(f"{folder}/adapter/README.md"):
        os.remove(f"{folder}/adapter/README.md")
    write(folder, dict(base=base, variant=kind), model, ids, labels)


def again(folder, out):
    with open(f"{folder}/curves.json") as file:
        about = json.load(file)
    golden = load_file(f"{folder}/golden.safetensors")
    model = peft.PeftModel.from_pretrained(base_model(about["base"]), f"{folder}/adapter", is_trainable=True)
    os.makedirs(out, exist_ok=True)
    write(out, about, model, golden["input_ids"].long(), golden["labels"].long())


def write(folder, about, model, ids, labels):
    """The values of a model with its adapter, and its curves beside what `about` tells."""
    values = {}
    with torch.no_grad():
        values["base.logits"] = base_model(about["base"])(input_ids=ids).logits[:1].clone()
    model.train()
    result = model(input_ids=ids, labels=labels, use_cache=False)
    values.update({"logits": result.logits, "loss": result.loss.reshape(1)})
    result.loss.backward()
    for name, p in model.named_parameters():
        if p.requires_grad:
            values[f"grad.{name.replace('.default', '')}"] = p.grad
    values = {name: value.detach().clone() for name, value in values.items()}
    if about["variant"] != "lora-head-embed-tied":  # PEFT merges both adapters into the one matrix: another model
        with torch.no_grad():
            values["merged.logits"] = copy.deepcopy(model).merge_and_unload()(input_ids=ids[:1]).logits.clone()
    model.zero_grad()
    losses, norms, rates = train(model, ids, labels)
    with torch.no_grad():
        values["trained.logits"] = model(input_ids=ids[:1]).logits.clone()
    values.update(input_ids=ids.to(torch.int32), labels=labels.to(torch.int32))
    save_file({name: value.contiguous() for name, value in values.items()}, f"{folder}/golden.safetensors")
    curves = about | dict(lora=dict(lr=RATE, loss=losses, grad_norm=norms), schedule=rates, optimizer=OPTIMIZER)
    with open(f"{folder}/curves.json", "w") as file:
        json.dump(curves, file, indent=1)


if __name__ == "__main__":
    torch.set_num_threads(2)
    if sys.argv[1] == "--again":
        out, *folders = sys.argv[2:]
        for folder in map(os.path.normpath, folders):
            again(folder, os.path.join(out, os.path.basename(folder)))
    else:
        for kind in sys.argv[2:] or KINDS:
            make(f"{sys.argv[1]}/{kind}", kind)
