"""Published models by the classes and configurations of transformers, as packages/core/src/bench/shapes.ts has them for us."""

QWEN3 = dict(vocab_size=151936, head_dim=128, num_key_value_heads=8, rms_norm_eps=1e-6, max_position_embeddings=40960,
             rope_parameters={"rope_type": "default", "rope_theta": 1e6})
SHAPES = {
    "smollm2-135m": ("Llama", dict(
        vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3,
        max_position_embeddings=8192, rms_norm_eps=1e-5, tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 100000.0})),
    "qwen3-0.6b": ("Qwen3", dict(QWEN3, hidden_size=1024, intermediate_size=3072, num_hidden_layers=28, num_attention_heads=16, tie_word_embeddings=True)),
    "qwen3-1.7b": ("Qwen3", dict(QWEN3, hidden_size=2048, intermediate_size=6144, num_hidden_layers=28, num_attention_heads=16, tie_word_embeddings=True)),
    "qwen3-14b": ("Qwen3", dict(QWEN3, hidden_size=5120, intermediate_size=17408, num_hidden_layers=40, num_attention_heads=40, tie_word_embeddings=False)),
    "qwen3-30b-a3b": ("Qwen3Moe", dict(
        QWEN3 | dict(num_key_value_heads=4), hidden_size=2048, intermediate_size=6144, num_hidden_layers=48, num_attention_heads=32,
        moe_intermediate_size=768, num_experts=128, num_experts_per_tok=8, norm_topk_prob=True, tie_word_embeddings=False)),
    "llama-3.1-8b": ("Llama", dict(
        vocab_size=128256, hidden_size=4096, intermediate_size=14336, num_hidden_layers=32, num_attention_heads=32, num_key_value_heads=8,
        max_position_embeddings=131072, rms_norm_eps=1e-5, tie_word_embeddings=False, rope_parameters={"rope_type": "default", "rope_theta": 500000.0})),
}

TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def config_of(shape):
    import transformers

    family, values = SHAPES[shape]
    return getattr(transformers, f"{family}Config")(**values)
