#pragma once

/** Expands `each(isa)` for every instruction set that CPU kernels are compiled for: the namespaces they stand in, as in CMakeLists.txt. */
#if defined(__x86_64__)
#define ANNEAL_FOR_EACH_ISA(each) each(plain) each(avx2) each(avx512) each(avx512bf16) each(amx)
#elif defined(__aarch64__)
#define ANNEAL_FOR_EACH_ISA(each) each(plain) each(neon) each(neonbf16)
#else
#define ANNEAL_FOR_EACH_ISA(each) each(plain)
#endif
