#pragma once

namespace anneal {

/** What the 16 codes of NF4 stand for: quantiles of a normal distribution scaled to [-1, 1] (Dettmers et al. 2023, appendix E). */
static constexpr float kNf4Values[16] = {-1.0f,
                                         -0.6961928009986877f,
                                         -0.5250730514526367f,
                                         -0.39491748809814453f,
                                         -0.28444138169288635f,
                                         -0.18477343022823334f,
                                         -0.09105003625154495f,
                                         0.0f,
                                         0.07958029955625534f,
                                         0.16093020141124725f,
                                         0.24611230194568634f,
                                         0.33791524171829224f,
                                         0.44070982933044434f,
                                         0.5626170039176941f,
                                         0.7229568362236023f,
                                         1.0f};

/** Weights that share an absmax, and absmaxes that share a scale where they are quantized themselves. */
static constexpr int kNf4Block = 64;
static constexpr int kNf4ScaleBlock = 256;

}  // namespace anneal
