#pragma once

// Every kernel that both backends have, by the name its op.ts gives it. A new op adds one line here and one in ops/index.ts.
#define ANNEAL_KERNELS(X)            \
  X(adamw)                           \
  X(adamw_8bit)                      \
  X(add)                             \
  X(add_bias)                        \
  X(add_bias_backward)               \
  X(async_copy)                      \
  X(attention)                       \
  X(attention_backward)              \
  X(attention_cached)                \
  X(await_copy)                      \
  X(cache_write)                     \
  X(clip_scale)                      \
  X(dequantize_nf4)                  \
  X(dequantize_nf4_double)           \
  X(dora_norm)                       \
  X(dora_scale)                      \
  X(dora_scale_backward)             \
  X(dropout)                         \
  X(embedding)                       \
  X(embedding_backward)              \
  X(expert_combine)                  \
  X(expert_combine_backward)         \
  X(expert_dispatch)                 \
  X(expert_linear)                   \
  X(expert_linear_backward_input)    \
  X(expert_linear_backward_weight)   \
  X(expert_route)                    \
  X(expert_route_backward)           \
  X(expert_swiglu)                   \
  X(expert_swiglu_backward)          \
  X(gather_rows)                     \
  X(grouped_linear)                  \
  X(grouped_linear_backward)         \
  X(grouped_linear_merged)           \
  X(grouped_linear_merged_backward)  \
  X(join_qkv)                        \
  X(kto_loss)                        \
  X(linear)                          \
  X(linear_backward_input)           \
  X(linear_backward_weight)          \
  X(linear_cross_entropy)            \
  X(linear_cross_entropy_training)   \
  X(linear_log_probability)          \
  X(linear_log_probability_backward) \
  X(lion)                            \
  X(log_ratio_sum)                   \
  X(pair_loss)                       \
  X(policy_loss)                     \
  X(qkv_rope)                        \
  X(qkv_rope_backward)               \
  X(rms_norm)                        \
  X(rms_norm_backward_input)         \
  X(rms_norm_backward_weight)        \
  X(rope)                            \
  X(rope_table)                      \
  X(round_to_bf16)                   \
  X(scale)                           \
  X(soft_cap)                        \
  X(split_qkv)                       \
  X(square_sum)                      \
  X(swiglu)                          \
  X(swiglu_backward)                 \
  X(swiglu_merged)                   \
  X(swiglu_merged_backward)          \
  X(zero)

// Those of ops that say `cpuOnly: true`.
#define ANNEAL_CPU_KERNELS(X)       \
  X(adafactor)                      \
  X(adafactor_vector)               \
  X(attention_sinks_backward)       \
  X(expert_add_bias)                \
  X(expert_add_bias_backward)       \
  X(muon_apply)                     \
  X(muon_direction)                 \
  X(short_conv)                     \
  X(short_conv_backward_input)      \
  X(short_conv_backward_weight)     \
  X(short_conv_cached)
