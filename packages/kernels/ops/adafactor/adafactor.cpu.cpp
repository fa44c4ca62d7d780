#include <cmath>

#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"
#include "rates.h"

namespace anneal::ANNEAL_ISA {

const char* adafactor(const Launch& launch) {
  constexpr int64_t kRows = 32;  // as in op.ts
  const Tensor shape = launch.outputs[0];
  const int64_t rows = shape.shape[0], columns = shape.shape[1], blocks = (rows + kRows - 1) / kRows;
  const float* gradient = launch.inputs[1].f32();
  float* parameter = launch.outputs[0].f32();
  float* row = launch.outputs[1].f32();
  float* column = launch.outputs[2].f32();
  const float clip = *launch.inputs[4].f32();
  const AdafactorRates rates = adafactorRates(*launch.inputs[5].f32(), *launch.inputs[6].i32(), launch.attributes[0]);
  double* blockSquares = reinterpret_cast<double*>(launch.workspace);
  float* columnSums = reinterpret_cast<float*>(blockSquares + blocks);

  parallelFor(*launch.context, rows, kRows, [=](int64_t begin, int64_t end) {
    float* sums = columnSums + begin / kRows * columns;
    for (int64_t j = 0; j < columns; j++) sums[j] = 0;
    for (int64_t i = begin; i < end; i++) {
      Vec sum = Vec::zero();
      for (int64_t j = 0; j < columns; j += Vec::width) {
        const int count = lanesAt(j, columns);
        const Vec g = Vec::load(gradient + i * columns + j, count) * Vec::set(clip);
        const Vec square = g * g;
        sum += square;
        (Vec::load(sums + j, count) + square).store(sums + j, count);
      }
      row[i] = rates.keep * row[i] + rates.add * (anneal::ANNEAL_ISA::sum(sum) / static_cast<float>(columns) + kAdafactorEpsilon);
    }
  });
  parallelFor(*launch.context, columns, 256, [=](int64_t begin, int64_t end) {
    for (int64_t j = begin; j < end; j++) {
      float sum = 0;
      for (int64_t block = 0; block < blocks; block++) sum += columnSums[block * columns + j];
      column[j] = rates.keep * column[j] + rates.add * (sum / static_cast<float>(rows) + kAdafactorEpsilon);
    }
  });
  double rowSum = 0;
  for (int64_t i = 0; i < rows; i++) rowSum += static_cast<double>(row[i]);
  const float rowMean = static_cast<float>(rowSum / static_cast<double>(rows));

  // The sums over columns are done with: their place takes what each column is multiplied by.
  float* columnFactors = columnSums;
  for (int64_t j = 0; j < columns; j++) columnFactors[j] = 1.0f / std::sqrt(column[j]);
  parallelFor(*launch.context, rows, kRows, [=](int64_t begin, int64_t end) {
    double squares = 0;
    for (int64_t i = begin; i < end; i++) {
      const Vec factor = Vec::set(clip / std::sqrt(row[i] / rowMean));
      Vec sum = Vec::zero();
      for (int64_t j = 0; j < columns; j += Vec::width) {
        const int count = lanesAt(j, columns);
        const Vec move = Vec::load(gradient + i * columns + j, count) * factor * Vec::load(columnFactors + j, count);
        sum += move * move;
      }
      squares += static_cast<double>(anneal::ANNEAL_ISA::sum(sum));
    }
    blockSquares[begin / kRows] = squares;
  });
  double squareSum = 0;
  for (int64_t block = 0; block < blocks; block++) squareSum += blockSquares[block];
  const float stepSize = rates.stepSize * scaleOfMove(squareSum, rows * columns);
  parallelFor(*launch.context, rows, kRows, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const Vec factor = Vec::set(stepSize * clip / std::sqrt(row[i] / rowMean));
      for (int64_t j = 0; j < columns; j += Vec::width) {
        const int count = lanesAt(j, columns);
        float* at = parameter + i * columns + j;
        const Vec move = Vec::load(gradient + i * columns + j, count) * factor * Vec::load(columnFactors + j, count);
        (Vec::load(at, count) * Vec::set(rates.decay) - move).store(at, count);
      }
    }
  });
  return nullptr;
}

const char* adafactor_vector(const Launch& launch) {
  const float* gradient = launch.inputs[1].f32();
  float* parameter = launch.outputs[0].f32();
  float* v = launch.outputs[1].f32();
  const int64_t size = launch.outputs[0].elements();
  const float clip = *launch.inputs[3].f32();
  const AdafactorRates rates = adafactorRates(*launch.inputs[4].f32(), *launch.inputs[5].i32(), launch.attributes[0]);
  double squareSum = 0;
  for (int64_t i = 0; i < size; i++) {
    const float g = gradient[i] * clip;
    v[i] = rates.keep * v[i] + rates.add * (g * g + kAdafactorEpsilon);
    const float move = g / std::sqrt(v[i]);
    squareSum += static_cast<double>(move) * static_cast<double>(move);
  }
  const float stepSize = rates.stepSize * scaleOfMove(squareSum, size);
  for (int64_t i = 0; i < size; i++) parameter[i] = parameter[i] * rates.decay - stepSize * (gradient[i] * clip / std::sqrt(v[i]));
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
