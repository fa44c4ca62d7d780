#pragma once

#include <cstdint>

namespace anneal {

/**
 * The points that four magnitudes of IQ3_XXS or IQ3_S can be, and which lie near: magnitudes are cut into cells by their nearest odd
 * numbers up to 15, numbered as octal digits, the first magnitude's last.
 */
struct Iq3Table {
  static constexpr int kCells = 4096;
  static constexpr int kCandidates = 16;

  float points[512][4];
  /** The point that is nearest to each cell, as in `near`. */
  uint32_t nearest[kCells];
  /**
   * The points that lie near each cell: from the lowest bit on twice the four magnitudes in five bits each, then the point's number.
   * In order of distance they stand in places 0, 4, 8, 12, 1, 5, ...: what comes first in each of four lanes, and then in the first
   * lane, is the nearest.
   */
  alignas(64) uint32_t near[kCells][kCandidates];
};

/** Made when they are first asked for. */
const Iq3Table& iq3XxsTable();
const Iq3Table& iq3STable();

}  // namespace anneal
