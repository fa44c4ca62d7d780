"""Golden values of PEFT's kinds of LoRA over checkpoints that exist: float32 on the CPU.

Of each: adapter/ as PEFT saves it before training, moved off a start where it does nothing; curves.json; golden.safetensors with
  input_ids, labels; base.logits (row 0 without the adapter); logits and loss with it; merged.logits (row 0, where PEFT can merge);
  grad.NAME of every trained tensor; trained.logits (row 0 after ten AdamW steps). NAME is PEFT's parameter name without ".default".
loftq and pissa change the base: base.NAME is what weights of layer 1 became. pissa has adapter_trained/ after the ten steps, too, and
  adapter_converted/, the plain LoRA of twice the rank over the base as it was.
usage: python make_peft.py OUT_DIR [KIND ...]          beside models/; every kind has a seed of its own
"""
import copy, inspect, json, os, shutil, sys, torch, transformers, peft
import peft.tuners.lora.layer, peft.utils.loftq_utils as loftq_utils
from safetensors.torch import load_file, save_file

SEVEN = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
QV = ["q_proj", "v_proj"]
# kind: (seed, base, tokens of a row, LoraConfig's arguments)
KINDS = {
    "dora": (4321, "llama3", 24, dict(use_dora=True, target_modules=SEVEN)),
    "rslora-dora": (4322, "llama3", 24, dict(r=8, use_rslora=True, use_dora=True, target_modules=["q_proj", "o_proj", "down_proj"])),
    "bias-all": (4323, "qwen2", 24, dict(bias="all", target_modules=["q_proj", "v_proj", "down_proj"])),
    "bias-lora-only": (4324, "qwen2", 24, dict(bias="lora_only", target_modules=["q_proj", "v_proj", "down_proj"])),
    "lora-bias": (4325, "qwen2", 24, dict(lora_bias=True, target_modules=["q_proj", "k_proj", "v_proj"])),
    "lora-bias-unmergeable": (4326, "llama3", 24, dict(lora_bias=True, target_modules=QV)),
    "modules-to-save": (4327, "llama3", 16, dict(modules_to_save=["lm_head", "embed_tokens"], target_modules=["q_proj"])),
    "modules-to-save-tied": (4328, "qwen2", 16, dict(modules_to_save=["embed_tokens"], ensure_weight_tying=True, target_modules=QV)),
    "patterns": (4330, "llama3", 24, dict(target_modules=SEVEN, rank_pattern={r"layers\.0\..*q_proj": 2, "down_proj": 6, r"^model\.layers\.1\.self_attn\.v_proj": 3},
                                          alpha_pattern={r"layers\.[1]\..*(q|k)_proj": 32, "down_proj": 3})),
    "lora-head-embed-tied": (4331, "smollm2", 24, dict(target_modules=["q_proj", "v_proj", "embed_tokens", "lm_head"])),
    "loftq": (4331, "llama3", 24, dict(init_lora_weights="loftq", loftq_config=peft.LoftQConfig(loftq_bits=4, loftq_iter=1), target_modules=["q_proj", "o_proj", "down_proj"])),
    "pissa": (4332, "llama3", 16, dict(init_lora_weights="pissa", target_modules=["q_proj", "v_proj", "down_proj"])),
    "layers-to-transform": (4333, "llama3", 24, dict(layers_to_transform=[1], layers_pattern="layers", target_modules=SEVEN)),
    "trainable-tokens": (4334, "llama3", 24, dict(trainable_token_indices={"embed_tokens": [7, 42, 99]}, target_modules=QV)),
    "trainable-tokens-tied": (4335, "qwen2", 24, dict(trainable_token_indices=[7, 42, 99], target_modules=QV)),
    "moe-experts": (4336, "qwen3-moe", 16, dict(r=1, lora_alpha=2, target_modules=["q_proj", "v_proj", "gate_proj", "up_proj", "down_proj"])),
    "moe-experts-beside-mlp": (4337, "gemma4-moe", 16, dict(r=1, lora_alpha=2, target_modules=["q_proj", "down_proj"],
                                                            target_parameters=["experts.gate_up_proj", "experts.down_proj"])),
}
CHANGES_BASE = ("loftq", "pissa")
OPTIMIZER = dict(name="adamw", betas=[0.9, 0.999], eps=1e-8, weight_decay=0.01, max_grad_norm=1.0, warmup_steps=2, steps=10)
RATE = 5e-3


def rows(vocabulary, seed, length):
    ids = torch.randint(3, vocabulary, (2, length), generator=torch.Generator().manual_seed(seed))
    for i, token in enumerate((7, 42, 99)):
        ids[:, 4 + 5 * i] = min(token, vocabulary - 1)
    labels = ids.clone()
    labels[0, :6] = -100
    labels[1, length - 3:] = -100
    return ids, labels


def decode_nf4(codes, state):
    """As bitsandbytes does on a GPU; on a CPU with AVX-512 it is wrong where a row is shorter than a block."""
    values = state.code[torch.stack((codes >> 4, codes & 15), -1).reshape(-1).long()]
    return (values * state.absmax.repeat_interleave(state.blocksize)[: values.numel()]).reshape(state.shape)


def loftq_on_cpu():
    """PEFT computes LoftQ on "cuda" wherever the model is; this is its own source with that word and the decoder changed."""
    source = inspect.getsource(loftq_utils.loftq_init)
    for old, new in (('"cuda"', '"cpu"'), ("bnb.functional.dequantize_4bit(", "decode_nf4(")):
        assert source.count(old) == 1
        source = source.replace(old, new)
    loftq_utils.decode_nf4 = decode_nf4
    exec(source, loftq_utils.__dict__)
    peft.tuners.lora.layer.loftq_init = loftq_utils.loftq_init


def move_off(model):
    """Away from starts where the adapter does nothing: B and biases are 0, a magnitude is the norm of the weight, the rest copies the base."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if not p.requires_grad:
                continue
            if "magnitude" in name:
                p.mul_(1 + 0.1 * torch.randn_like(p))
            elif any(part in name for part in ("lora_B", "lora_embedding_A", "modules_to_save", "trainable_tokens")) or name.endswith("bias"):
                p.add_(0.05 * torch.randn_like(p))


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


def with_adapter(kind):
    seed, base, _, arguments = KINDS[kind]
    torch.manual_seed(seed)
    config = peft.LoraConfig(**{**dict(r=4, lora_alpha=8, lora_dropout=0.0, task_type="CAUSAL_LM"), **copy.deepcopy(arguments)})
    model = peft.get_peft_model(base_model(base), config)
    model.peft_config["default"].base_model_name_or_path = f"golden/{base}"
    return model


def save(model, folder, **how):
    model.save_pretrained(folder, **how)
    if os.path.exists(f"{folder}/README.md"):
        os.remove(f"{folder}/README.md")


def make(folder, kind):
    seed, base, length, _ = KINDS[kind]
    shutil.rmtree(folder, ignore_errors=True)
    model = with_adapter(kind)
    ids, labels = rows(model.config.vocab_size, seed, length)
    if kind not in CHANGES_BASE:
        move_off(model)
    save(model, f"{folder}/adapter")
    values = {}
    if kind in CHANGES_BASE:
        for name, p in model.named_parameters():
            if name.endswith("base_layer.weight") and "layers.1." in name:
                values[f"base.{name.replace('base_model.model.', '').replace('.base_layer', '')}"] = p.detach().clone()
    write(folder, dict(base=base, variant=kind), model, ids, labels, values)
    if kind == "pissa":
        save(model, f"{folder}/adapter_trained")
        first = with_adapter(kind)
        first.peft_config["default"].init_lora_weights = True
        save(first, f"{folder}/initial")
        save(model, f"{folder}/adapter_converted", path_initial_model_for_weight_conversion=f"{folder}/initial")
        shutil.rmtree(f"{folder}/initial")


def merged_logits(model, ids):
    """None where PEFT does not merge: a bias of LoRA on a linear without one."""
    try:
        with torch.no_grad():
            return copy.deepcopy(model).merge_and_unload()(input_ids=ids[:1]).logits.clone()
    except RuntimeError as error:
        if "Impossible to merge" not in str(error):
            raise
        return None


def write(folder, about, model, ids, labels, values):
    """The values of a model with its adapter, and its curves beside what `about` tells."""
    with torch.no_grad():
        values["base.logits"] = base_model(about["base"])(input_ids=ids).logits[:1].clone()
    model.train()
    result = model(input_ids=ids, labels=labels, use_cache=False)
    values.update({"logits": result.logits, "loss": result.loss.reshape(1)})
    result.loss.backward()
    for name, p in model.named_parameters():
        if p.requires_grad:
            values[f"grad.{name.replace('.default', '')}"] = torch.zeros_like(p) if p.grad is None else p.grad
    values = {name: value.detach().clone() for name, value in values.items()}
    if about["variant"] != "lora-head-embed-tied":  # PEFT merges both adapters into the one matrix: another model
        merged = merged_logits(model, ids)
        if merged is not None:
            values["merged.logits"] = merged
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
    loftq_on_cpu()
    for kind in sys.argv[2:] or KINDS:
        make(f"{sys.argv[1]}/{kind}", kind)
