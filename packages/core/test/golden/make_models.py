"""Makes the folders of models/ and edge-cases/ beside this file: tiny random checkpoints, and what PyTorch, transformers and PEFT compute from them.

usage: pip install -r requirements.txt; python make_models.py OUT_DIR [NAME ...]

golden.safetensors of a folder, float32 on the CPU; B = 2 sequences of S = 48 tokens:
  input_ids, labels            [B, S]; label -100: this token is not predicted
  hidden.N, logits, loss       of that batch; hidden states before each layer, and after the last norm; of Gemma 3n of all
                               streams, [streams, B, S, hidden size], not normed after the last layer
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


# What LoRA is put on where linears have other names, and of which layers gradients are kept, one of each kind.
TARGETS = {
    **{name: ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"] for name in ("phi3", "phi4-mini")},
    "glm4": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_up_proj", "down_proj"],
    **{name: ["q_proj", "k_proj", "v_proj", "o_proj"] for name in ("qwen3-moe", "gpt-oss", "gemma4-moe", "glm4-moe")},
    "granite4": ["q_proj", "k_proj", "v_proj", "o_proj", "shared_mlp.input_linear", "shared_mlp.output_linear"],
    **{name: [
        "q_proj", "k_proj", "v_proj", "o_proj", "in_proj", "out_proj", "shared_mlp.input_linear", "shared_mlp.output_linear",
    ] for name in ("granite4-h", "granite4-moe")},
    "qwen3.5": [*LINEARS, "in_proj_qkv", "in_proj_z", "in_proj_b", "in_proj_a", "out_proj"],
    "qwen3.5-moe": [*LINEARS, "in_proj_qkv", "in_proj_z", "in_proj_b", "in_proj_a", "out_proj"],
    "lfm2": ["q_proj", "k_proj", "v_proj", "out_proj", "in_proj", "w1", "w2", "w3"],
    "deepseek-v3": ["q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "kv_b_proj", "o_proj"],
}
KEPT = {
    "gemma3-mixed": [1, 2], "smollm3": [2, 3], "olmo3": [2, 3], "lfm2": [0, 1], "granite4-h": [0, 1], "qwen3.5": [2, 3], "qwen3.5-moe": [0, 1],
    "deepseek-v3": [0, 2], "glm4-moe": [0, 2], "gemma4": [1, 3], "gemma4-moe": [0, 1],
    "gemma3n": [0, 3], "granite4-moe": [0, 1],
}


def of(theta, kind="default", **scaling):
    return dict(rope_type=kind, rope_theta=theta, **scaling)


def rope(theta, kind="default", **scaling):
    return dict(rope_parameters=of(theta, kind, **scaling))


SLIDING, FULL = "sliding_attention", "full_attention"
SMALL = {k: v for k, v in COMMON.items() if k != "num_hidden_layers"} | dict(intermediate_size=48)
# eps is not the published 1e-6, at which rounding alone moves the curves.
QWEN35 = SMALL | dict(
    vocab_size=96, rms_norm_eps=1e-3, head_dim=24, linear_conv_kernel_dim=4, linear_key_head_dim=8,
    linear_value_head_dim=8, linear_num_key_heads=2, linear_num_value_heads=4,
    **rope(1e7, partial_rotary_factor=0.25, mrope_section=[1, 1, 1], mrope_interleaved=True),
)
GEMMA4 = {SLIDING: of(1e4), FULL: of(1e6, "proportional", partial_rotary_factor=0.25)}
GRANITE = dict(embedding_multiplier=12.0, logits_scaling=2.0, residual_multiplier=0.22, attention_multiplier=0.125)

LLAMA3 = rope(5e5, "llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)
SMOLLM2 = dict(**COMMON, **rope(1e5), rms_norm_eps=1e-5, tie_word_embeddings=True)
MISTRAL = dict(**COMMON, **rope(1e4), tie_word_embeddings=False)
CONFIGS = {
    "llama3": lambda: T.LlamaConfig(**COMMON, **LLAMA3, rms_norm_eps=1e-5, tie_word_embeddings=False),
    "smollm2": lambda: T.LlamaConfig(**SMOLLM2),
    "qwen2": lambda: T.Qwen2Config(**COMMON, **rope(1e6), tie_word_embeddings=True),
    "qwen3": lambda: T.Qwen3Config(**COMMON, **rope(1e6), head_dim=16, tie_word_embeddings=False),
    "qwen3-moe": lambda: T.Qwen3MoeConfig(
        **COMMON, **rope(1e6), head_dim=16, moe_intermediate_size=48, num_experts=8, num_experts_per_tok=2,
        norm_topk_prob=True, tie_word_embeddings=False,
    ),
    "gpt-oss": lambda: T.GptOssConfig(
        **SMALL, num_hidden_layers=2, head_dim=16, num_local_experts=4, num_experts_per_tok=2, sliding_window=16,
        tie_word_embeddings=False,
    ),
    "qwen3-yarn": lambda: T.Qwen3Config(
        **COMMON, **rope(1e6, "yarn", factor=4.0, original_max_position_embeddings=128), head_dim=16,
        tie_word_embeddings=True,
    ),
    "mistral": lambda: T.MistralConfig(**MISTRAL, sliding_window=16),
    "gemma2": lambda: T.Gemma2Config(**COMMON, **rope(1e4), head_dim=16, sliding_window=16, query_pre_attn_scalar=16),
    "gemma3-mixed": lambda: T.Gemma3TextConfig(
        **SMALL, num_hidden_layers=3, layer_types=[SLIDING, SLIDING, FULL], head_dim=16, sliding_window=16,
        query_pre_attn_scalar=24, rope_parameters={SLIDING: of(1e4), FULL: of(1e6, "linear", factor=8.0)},
    ),
    "phi3": lambda: T.Phi3Config(
        **COMMON, **rope(1e4, partial_rotary_factor=1.0), sliding_window=None, tie_word_embeddings=False
    ),
    "phi4-mini": lambda: T.Phi3Config(
        **SMALL, num_hidden_layers=2, sliding_window=262144, tie_word_embeddings=True, rms_norm_eps=1e-5,
        original_max_position_embeddings=32, **rope(
            1e4, "longrope", partial_rotary_factor=0.75, original_max_position_embeddings=32,
            short_factor=[1.0, 1.25, 1.5], long_factor=[1.5, 4.0, 12.0],
        ),
    ),
    "smollm3": lambda: T.SmolLM3Config(
        **SMALL, num_hidden_layers=4, no_rope_layer_interval=4, tie_word_embeddings=True, **rope(5e6)
    ),
    "olmo3": lambda: T.Olmo3Config(
        **SMALL, num_hidden_layers=4, sliding_window=16, layer_types=[SLIDING, SLIDING, SLIDING, FULL],
        tie_word_embeddings=False, rope_parameters={SLIDING: of(5e5), FULL: of(
            5e5, "yarn", factor=8.0, original_max_position_embeddings=64, attention_factor=1.2079441541679836,
            beta_fast=32.0, beta_slow=1.0,
        )},
    ),
    "olmo2": lambda: T.Olmo2Config(**SMALL, num_hidden_layers=3, tie_word_embeddings=False, **rope(5e5)),
    "granite": lambda: T.GraniteConfig(
        **SMALL, **GRANITE, num_hidden_layers=2, tie_word_embeddings=True, rms_norm_eps=1e-5, **rope(1e7)
    ),
    "granite4": lambda: T.GraniteMoeHybridConfig(
        **SMALL, **GRANITE, num_hidden_layers=2, num_local_experts=0, num_experts_per_tok=0,
        shared_intermediate_size=48, tie_word_embeddings=True, rms_norm_eps=1e-5, mamba_n_heads=4, mamba_d_state=12,
        mamba_n_groups=1, mamba_d_conv=4, mamba_expand=2, mamba_chunk_size=32, layer_types=[FULL, FULL],
        position_embedding_type="rope", **rope(1e7),
    ),
    "granite4-h": lambda: T.GraniteMoeHybridConfig(
        **{**SMALL, "vocab_size": 96}, **GRANITE, num_hidden_layers=2, num_local_experts=0, num_experts_per_tok=0,
        shared_intermediate_size=40, tie_word_embeddings=True, rms_norm_eps=1e-5, mamba_n_heads=8, mamba_d_state=12,
        mamba_n_groups=1, mamba_d_conv=4, mamba_expand=2, mamba_chunk_size=16, layer_types=["linear_attention", FULL],
        position_embedding_type="nope", **rope(1e4),
    ),
    "granite4-moe": lambda: T.GraniteMoeHybridConfig(
        **{**SMALL, "vocab_size": 96, "intermediate_size": 16}, **GRANITE, num_hidden_layers=2, num_local_experts=8,
        num_experts_per_tok=3, shared_intermediate_size=24, tie_word_embeddings=True, rms_norm_eps=1e-5,
        layer_types=["linear_attention", FULL], position_embedding_type="nope", mamba_n_heads=4, mamba_d_state=12,
        mamba_n_groups=1, mamba_d_conv=4, mamba_expand=2, mamba_chunk_size=32, mamba_conv_bias=True,
    ),
    "glm4": lambda: T.Glm4Config(
        **SMALL, num_hidden_layers=2, head_dim=16, attention_bias=True, tie_word_embeddings=False, rms_norm_eps=1e-5,
        **rope(1e4, partial_rotary_factor=0.5),
    ),
    "ministral3": lambda: T.Ministral3Config(
        **{**SMALL, "max_position_embeddings": 256}, num_hidden_layers=2, head_dim=16, tie_word_embeddings=True,
        rms_norm_eps=1e-5, **rope(
            1e6, "yarn", factor=16.0, original_max_position_embeddings=16, beta_fast=32.0, beta_slow=1.0, mscale=1.0,
            mscale_all_dim=1.0, llama_4_scaling_beta=0.1,
        ),
    ),
    "lfm2": lambda: T.Lfm2Config(
        **{**SMALL, "intermediate_size": 68}, num_hidden_layers=3, layer_types=["conv", FULL, "conv"],
        block_multiple_of=8, norm_eps=1e-5, **rope(1e6),
    ),
    "qwen3.5": lambda: T.Qwen3_5TextConfig(
        **{**QWEN35, "intermediate_size": 40}, num_hidden_layers=4, layer_types=[*3 * ["linear_attention"], FULL],
        tie_word_embeddings=True,
    ),
    "qwen3.5-moe": lambda: T.Qwen3_5MoeTextConfig(
        **{k: v for k, v in QWEN35.items() if k != "intermediate_size"}, num_hidden_layers=2,
        layer_types=["linear_attention", FULL], tie_word_embeddings=False, moe_intermediate_size=12,
        shared_expert_intermediate_size=20, num_experts=8, num_experts_per_tok=3,
    ),
    "deepseek-v3": lambda: T.DeepseekV3Config(
        **{**SMALL, "vocab_size": 96, "num_key_value_heads": 4}, num_hidden_layers=3, first_k_dense_replace=1,
        moe_intermediate_size=16, n_shared_experts=1, n_routed_experts=8, num_experts_per_tok=3, n_group=4,
        topk_group=2, routed_scaling_factor=2.5, q_lora_rank=20, kv_lora_rank=16, qk_nope_head_dim=8,
        qk_rope_head_dim=8, v_head_dim=12, tie_word_embeddings=False, **rope(
            1e4, "yarn", factor=40.0, original_max_position_embeddings=64, beta_fast=32.0, beta_slow=1.0, mscale=1.0,
            mscale_all_dim=1.0,
        ),
    ),
    "glm4-moe": lambda: T.Glm4MoeConfig(
        **{**SMALL, "vocab_size": 96}, num_hidden_layers=3, head_dim=16, attention_bias=True, use_qk_norm=True,
        first_k_dense_replace=1, moe_intermediate_size=16, n_shared_experts=1, n_routed_experts=8,
        num_experts_per_tok=3, n_group=1, topk_group=1, routed_scaling_factor=1.5, num_mtp_layers=0,
        tie_word_embeddings=False, **rope(1e6, partial_rotary_factor=0.5),
    ),
    # Other biases have the names of Llama's, and llama.cpp does not know them.
    "seed-oss": lambda: T.SeedOssConfig(
        **SMALL, num_hidden_layers=2, head_dim=16, attention_bias=True, tie_word_embeddings=False,
        attention_dropout=0.0, residual_dropout=0.0, **rope(1e7),
    ),
    "gemma4": lambda: T.Gemma4TextConfig(
        **{**SMALL, "vocab_size": 80, "intermediate_size": 40, "num_key_value_heads": 1}, num_hidden_layers=4,
        layer_types=[SLIDING, FULL, SLIDING, FULL], head_dim=8, global_head_dim=16, sliding_window=16,
        num_kv_shared_layers=2, use_double_wide_mlp=True, hidden_size_per_layer_input=16,
        vocab_size_per_layer_input=80, final_logit_softcapping=30.0, tie_word_embeddings=True, rope_parameters=GEMMA4,
    ),
    "gemma4-moe": lambda: T.Gemma4TextConfig(
        **{**SMALL, "vocab_size": 96}, num_hidden_layers=2, layer_types=[SLIDING, FULL], head_dim=8, global_head_dim=16,
        num_global_key_value_heads=1, attention_k_eq_v=True, sliding_window=16, num_kv_shared_layers=0,
        hidden_size_per_layer_input=0, enable_moe_block=True, num_experts=8, top_k_experts=2, moe_intermediate_size=16,
        final_logit_softcapping=30.0, tie_word_embeddings=True, rope_parameters=GEMMA4,
    ),
    # eps is not the published 1e-6, at which rounding alone moves the curves.
    "gemma3n": lambda: T.Gemma3nTextConfig(
        **{**SMALL, "vocab_size": 80, "intermediate_size": 40}, rms_norm_eps=1e-3, num_hidden_layers=4,
        layer_types=[SLIDING, FULL, SLIDING, FULL], head_dim=8, sliding_window=16, num_kv_shared_layers=2,
        hidden_size_per_layer_input=8, vocab_size_per_layer_input=80, laurel_rank=8,
        activation_sparsity_pattern=[0.95, 0.0, 0.0, 0.0], final_logit_softcapping=30.0,
    ),
    # A query sees itself alone: q and k have gradients of exactly 0.
    "mistral-window1": lambda: T.MistralConfig(**MISTRAL, sliding_window=1),
    # The pad token also ends every answer, as in SmolLM2's GGUF; it stands in the text.
    "smollm2-pad": lambda: T.LlamaConfig(**{**SMOLLM2, "pad_token_id": 2}),
    # Rows of 48 and of 29 tokens are longer than the context, one of 19 is not, and the greedy answer grows beyond it.
    "llama-dynamic": lambda: T.LlamaConfig(
        **{**COMMON, "max_position_embeddings": 24}, **rope(1e4, "dynamic", factor=4.0), rms_norm_eps=1e-5,
        tie_word_embeddings=False,
    ),
}


def float32(tensor):
    return tensor.detach().to(torch.float32).contiguous().clone()


def random_model(name):
    torch.manual_seed(SEED + len(name))
    model = T.AutoModelForCausalLM.from_config(CONFIGS[name](), dtype=torch.float32, attn_implementation="eager").eval()
    with torch.no_grad():  # norms and biases off their trivial values, and attention sinks further apart
        for parameter_name, parameter in model.named_parameters():
            if "norm" in parameter_name or parameter_name.endswith(("bias", "sinks")):
                parameter.add_(0.1 * torch.randn_like(parameter))
        for buffer_name, buffer in model.named_buffers():
            if buffer_name.endswith("e_score_correction_bias"):
                buffer.copy_(0.3 * torch.randn_like(buffer))
            if buffer_name.endswith("layer_scalar"):
                buffer.copy_(0.5 + torch.rand_like(buffer))
        for parameter_name, parameter in model.named_parameters():
            if name.startswith(("gemma3n", "gemma4")) and parameter_name.endswith("q_norm.weight"):
                parameter.mul_(parameter.numel() ** -0.5)  # its attention has scale 1
            if parameter_name.endswith("_coefs.weight"):
                parameter.copy_(0.3 * torch.randn_like(parameter))
            if parameter_name.endswith(("router.scale", "per_expert_scale", "correct_output_scale")):
                parameter.add_(0.2 * torch.randn_like(parameter))
            if parameter_name.endswith("A_log"):
                parameter.add_(0.1 * torch.randn_like(parameter))
            if name in ("qwen3.5-moe", "deepseek-v3", "glm4-moe", "granite4-moe") and parameter_name.endswith(("mlp.gate.weight", "router.weight")):  # routers far from ties
                parameter.copy_(0.4 * torch.randn_like(parameter))
    return model


def random_batch(name, vocabulary):
    ids = torch.randint(3, vocabulary, (2, 48))
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


def is_kept(name, kept):
    """Without a choice: all layers but the first."""
    if "layers." not in name:
        return True
    layer = int(name.split("layers.")[1].split(".")[0])
    return layer in kept if kept else layer != 0


def name_in_file(name):
    """Of a parameter: files of Granite 4 have other names for the matrices of experts."""
    for ours, theirs in (("experts.gate_up_proj", "input_linear.weight"), ("experts.down_proj", "output_linear.weight"), ("router.weight", "router.layer.weight")):
        name = name.replace(f"block_sparse_moe.{ours}", f"block_sparse_moe.{theirs}")
    return name


def base_values(model, ids, labels, kept):
    result = model(input_ids=ids, labels=labels, output_hidden_states=True, use_cache=False)
    values = {"input_ids": ids.to(torch.int32), "labels": labels.to(torch.int32)}
    values |= {"logits": float32(result.logits), "loss": float32(result.loss).reshape(1)}
    values |= {f"hidden.{i}": float32(hidden) for i, hidden in enumerate(result.hidden_states)}
    model.zero_grad()
    result.loss.backward()
    values |= {f"grad.{name_in_file(n)}": float32(p.grad) for n, p in model.named_parameters() if is_kept(n, kept)}
    prompt, first, second = ids[:1, :9], ids[0, :19], ids[1, :29]
    with torch.no_grad():
        # Without the cache: for a window of 1 transformers' keeps every key ([-window + 1:] of all). With dynamic NTK keys in
        # the cache stay as they are.
        cached = model.config.rope_parameters.get("rope_type") == "dynamic"
        made = model.generate(
            input_ids=prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=24, do_sample=False,
            eos_token_id=None, pad_token_id=0, use_cache=cached,
        )
        alone = [model(input_ids=document[None]).logits[0] for document in (first, second)]
    values |= {"greedy.prompt": prompt.to(torch.int32), "greedy.output": made.to(torch.int32)}
    values |= {"packed.input_ids": torch.cat([first, second]).to(torch.int32), "packed.logits": float32(torch.cat(alone))}
    values["packed.lengths"] = torch.tensor([len(first), len(second)], dtype=torch.int32)
    return values


def adapter_values(model, ids, labels, folder, targets, kept):
    lora = peft.LoraConfig(r=4, lora_alpha=8, lora_dropout=0.0, target_modules=targets, task_type="CAUSAL_LM")
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
        if parameter.requires_grad and is_kept(name, kept or [1]):
            values[f"lora.grad.{name.replace('.default', '')}"] = float32(parameter.grad)
    tuned.zero_grad()
    learned, _ = curve(tuned, ids, labels, 1e-2)
    with torch.no_grad():
        values["lora.merged.logits"] = float32(tuned.merge_and_unload()(input_ids=ids[:1]).logits)
    return values, dict(r=4, alpha=8, rslora=False, target_modules=targets, **learned)


def write_as_published(path):
    """transformers writes what layers without a window have of their own for each layer, published files of Gemma 4 once."""
    with open(path) as file:
        config = json.load(file)
    own = next(iter(config.pop("per_layer_config").values()))
    config["global_head_dim"], config["num_global_key_value_heads"] = own["head_dim"], own["num_key_value_heads"]
    with open(path, "w") as file:
        json.dump(config, file, indent=2, sort_keys=True)


def make(name, folder):
    os.makedirs(folder, exist_ok=True)
    model = random_model(name)
    model.save_pretrained(folder)
    if name == "gemma4-moe":
        write_as_published(f"{folder}/config.json")
    ids, labels = random_batch(name, model.config.vocab_size)
    targets, kept = TARGETS.get(name, LINEARS), KEPT.get(name)
    values = base_values(model, ids, labels, kept)
    full, schedule = curve(copy.deepcopy(model).train(), ids, labels, 1e-3)
    adapter, lora = adapter_values(model, ids, labels, f"{folder}/adapter", targets, kept)
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
