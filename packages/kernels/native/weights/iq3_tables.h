#pragma once

#include <cstdint>

namespace anneal {

/**
 * The points that four magnitudes of IQ3_XXS or IQ3_S can be, and which lie near: magnitudes are cut into cells by their nearest odd
 * numbers up to 15. Cells and points are written in octal digits, the first magnitude's last.
 */
struct Iq3Table {
  static constexpr int kCells = 4096;
  static constexpr int kCandidates = 16;

  float points[512][4];
  /** The magnitudes that digits stand for. */
  float magnitudes[8];
  /** The point that is nearest to each cell, as in `near`. */
  uint32_t nearest[kCells];
  /** The points that lie near each cell, the nearest first: their digits, from bit kNumber on the point's number. */
  alignas(64) uint32_t near[kCells][kCandidates];

  static constexpr int kNumber = 12;
};

/** Made when they are first asked for. */
const Iq3Table& iq3XxsTable();
const Iq3Table& iq3STable();

}  // namespace anneal
