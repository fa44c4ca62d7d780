"""Makes the folders of models/ and edge-cases/ beside this file: tiny random checkpoints, and what PyTorch, transformers and PEFT compute from them.

usage: pip install -r requirements.txt; python make_models.py OUT_DIR [NAME ...]

golden.safetensors of a folder, float32 on the CPU; B = 2 sequences of S = 48 tokens:
  input_ids, labels            [B, S]; label -100: this token is not predicted
  hidden.N, logits, loss       of that batch; hidden states before each layer, and after the last norm
  grad.NAME                    of the loss, every tensor but those of layer 0
  greedy.prompt, greedy.output 24 tokens after the first 9
  packed.*                     19 and 29 tokens, each computed alone, one after the other
  lora.logits, lora.loss, lora.grad.NAME   with adapter/, gradients of layer 1
  lora.merged.logits           of the first sequence, after the ten steps
curves.json: loss and gradient norm of ten AdamW steps, of all weights and of the adapter, and the rates of the schedule.
"""
import copy
import json
import os
import sys

import peft
import torch
import transformers as T
from safetensors.torch import save_file

SEED = 1234
COMMON = dict(
    vocab_size=160, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=512, bos_token_id=1, eos_token_id=2, pad_token_id=0,
    initializer_range=0.15, attn_implementation="eager",
)
LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
STEPS, WARMUP, WEIGHT_DECAY = 10, 2, 0.01


def rope(theta, kind="default", **scaling):
    return dict(rope_parameters=dict(rope_type=kind, rope_theta=theta, **scaling))


LLAMA3 = rope(5e5, "llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)
SMOLLM2 = dict(**COMMON, **rope(1e5), rms_norm_eps=1e-5, tie_word_embeddings=True)
MISTRAL = dict(**COMMON, **rope(1e4), tie_word_embeddings=False)
CONFIGS = {
    "llama3": lambda: T.LlamaConfig(**COMMON, **LLAMA3, rms_norm_eps=1e-5, tie_word_embeddings=False),
    "smollm2": lambda: T.LlamaConfig(**SMOLLM2),
    "qwen2": lambda: T.Qwen2Config(**COMMON, **rope(1e6), tie_word_embeddings=True),
    "qwen3": lambda: T.Qwen3Config(**COMMON, **rope(1e6), head_dim=16, tie_word_embeddings=False),
    "qwen3-yarn": lambda: T.Qwen3Config(
        **COMMON, **rope(1e6, "yarn", factor=4.0, original_max_position_embeddings=128), head_dim=16,
        tie_word_embeddings=True,
    ),
    "mistral": lambda: T.MistralConfig(**MISTRAL, sliding_window=16),
    # A query sees itself alone: q and k have gradients of exactly 0.
    "mistral-window1": lambda: T.MistralConfig(**MISTRAL, sliding_window=1),
    # The pad token also ends every answer, as in SmolLM2's GGUF; it stands in the text.
    "smollm2-pad": lambda: T.LlamaConfig(**{**SMOLLM2, "pad_token_id": 2}),
}


def float32(tensor):
    return tensor.detach().to(torch.float32).contiguous().clone()


def random_model(name):
    torch.manual_seed(SEED + len(name))
    model = T.AutoModelForCausalLM.from_config(CONFIGS[name](), dtype=torch.float32, attn_implementation="eager").eval()
    with torch.no_grad():  # norms and biases off their trivial values
        for parameter_name, parameter in model.named_parameters():
            if "norm" in parameter_name or parameter_name.endswith("bias"):
                parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def random_batch(name):
    ids = torch.randint(3, COMMON["vocab_size"], (2, 48))
    if name == "smollm2-pad":
        ids[0, 17] = ids[0, 30] = ids[1, 21] = 2
    labels = ids.clone()
    labels[0, :11] = labels[1, :5] = labels[1, 40:] = -100
    return ids, labels


def curve(model, ids, labels, rate):
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: s / WARMUP if s < WARMUP else max(0.0, (STEPS - s) / (STEPS - WARMUP))
    )
    losses, norms, rates = [], [], []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = model(input_ids=ids, labels=labels, use_cache=False).loss
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(parameters, 1.0)))
        rates.append(schedule.get_last_lr()[0])
        losses.append(float(loss))
        optimizer.step()
        schedule.step()
    return dict(lr=rate, loss=losses, grad_norm=norms), rates


def base_values(model, ids, labels):
    result = model(input_ids=ids, labels=labels, output_hidden_states=True, use_cache=False)
    values = {"input_ids": ids.to(torch.int32), "labels": labels.to(torch.int32)}
    values |= {"logits": float32(result.logits), "loss": float32(result.loss).reshape(1)}
    values |= {f"hidden.{i}": float32(hidden) for i, hidden in enumerate(result.hidden_states)}
    model.zero_grad()
    result.loss.backward()
    values |= {f"grad.{n}": float32(p.grad) for n, p in model.named_parameters() if "layers.0." not in n}
    prompt, first, second = ids[:1, :9], ids[0, :19], ids[1, :29]
    with torch.no_grad():
        # Without the cache: for a window of 1 transformers' keeps every key ([-window + 1:] of all).
        made = model.generate(
            input_ids=prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=24, do_sample=False,
            eos_token_id=None, pad_token_id=0, use_cache=False,
        )
        alone = [model(input_ids=document[None]).logits[0] for document in (first, second)]
    values |= {"greedy.prompt": prompt.to(torch.int32), "greedy.output": made.to(torch.int32)}
    values |= {"packed.input_ids": torch.cat([first, second]).to(torch.int32), "packed.logits": float32(torch.cat(alone))}
    values["packed.lengths"] = torch.tensor([len(first), len(second)], dtype=torch.int32)
    return values


def adapter_values(model, ids, labels, folder):
    lora = peft.LoraConfig(r=4, lora_alpha=8, lora_dropout=0.0, target_modules=LINEARS, task_type="CAUSAL_LM")
    tuned = peft.get_peft_model(copy.deepcopy(model), lora)
    with torch.no_grad():
        for name, parameter in tuned.named_parameters():
            if "lora_B" in name:
                parameter.copy_(0.05 * torch.randn_like(parameter))
    tuned.save_pretrained(folder)
    os.remove(f"{folder}/README.md")
    tuned.train()
    result = tuned(input_ids=ids, labels=labels, use_cache=False)
    result.loss.backward()
    values = {"lora.loss": float32(result.loss).reshape(1), "lora.logits": float32(result.logits)}
    for name, parameter in tuned.named_parameters():
        if parameter.requires_grad and "layers.1." in name:
            values[f"lora.grad.{name.replace('.default', '')}"] = float32(parameter.grad)
    tuned.zero_grad()
    learned, _ = curve(tuned, ids, labels, 1e-2)
    with torch.no_grad():
        values["lora.merged.logits"] = float32(tuned.merge_and_unload()(input_ids=ids[:1]).logits)
    return values, dict(r=4, alpha=8, rslora=False, target_modules=LINEARS, **learned)


def make(name, folder):
    os.makedirs(folder, exist_ok=True)
    model = random_model(name)
    model.save_pretrained(folder)
    ids, labels = random_batch(name)
    values = base_values(model, ids, labels)
    full, schedule = curve(copy.deepcopy(model).train(), ids, labels, 1e-3)
    adapter, lora = adapter_values(model, ids, labels, f"{folder}/adapter")
    save_file(values | adapter, f"{folder}/golden.safetensors")
    optimizer = dict(
        name="adamw", betas=[0.9, 0.999], eps=1e-8, weight_decay=WEIGHT_DECAY, max_grad_norm=1.0, warmup_steps=WARMUP,
        steps=STEPS,
    )
    with open(f"{folder}/curves.json", "w") as file:
        json.dump(dict(full=full, lora=lora, schedule=schedule, optimizer=optimizer), file, indent=1)


if __name__ == "__main__":
    torch.set_num_threads(4)
    for wanted in sys.argv[2:] or CONFIGS:
        make(wanted, f"{sys.argv[1]}/{wanted}")
