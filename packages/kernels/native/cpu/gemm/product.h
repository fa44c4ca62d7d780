#pragma once

#include "cells.h"
#include "gemm.h"

namespace anneal::ANNEAL_ISA {

/** What gemm was asked for. */
struct Product {
  int64_t m, n, k;
  float alpha;
  Matrix a, b;
  float* c;
  int64_t ldc;
  bool accumulate;
};

/** Runs on all threads, or on this one alone when `products` multiplications are too few to pay for waking the others. */
inline void runTasks(Context& context, int64_t products, int64_t count, ThreadPool::Task task, void* argument) {
  constexpr int64_t few_products = 1 << 16;
  if (products >= few_products) return context.pool->run(count, task, argument);
  for (int64_t index = 0; index < count; index++) task(argument, index, 0);
}

}  // namespace anneal::ANNEAL_ISA
