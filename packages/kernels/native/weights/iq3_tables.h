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
  /** The number of the point that is nearest to each cell. */
  uint16_t nearest[kCells];
  /** The numbers of the points that lie near each cell, the nearest first, and twice their magnitudes. */
  uint16_t candidates[kCells][kCandidates];
  int8_t doubled[kCells][4][kCandidates];
};

/** Made when they are first asked for. */
const Iq3Table& iq3XxsTable();
const Iq3Table& iq3STable();

}  // namespace anneal
