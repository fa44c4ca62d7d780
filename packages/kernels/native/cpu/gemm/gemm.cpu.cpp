#include "gemm.h"

#include "few_rows.h"
#include "pack.h"

// C is computed in blocks of at most kMaxBlockRows rows and kMaxBlockCells along K. In a block, A is brought into cells once,
// by all threads, into scratch they share (float32 rows are read where they lie). Then each task packs one panel of B,
// kTileColumns wide, into its thread's own scratch and goes down the rows of A with it.

namespace anneal::ANNEAL_ISA {
namespace {

constexpr int64_t kMaxBlockRows = 1024;
constexpr int64_t kMaxBlockCells = 768;  // a panel of B is then 144 KiB, which streams from L2 at full speed
constexpr int64_t kPanelBytes = kMaxBlockCells * kTileColumns * 4;
constexpr int64_t kPackRows = 64;          // rows of A one task packs
static_assert(kScratchBytesPerThread >= 4 * kPanelBytes, "room for a panel a thread, and for the rows of A they share");

/** Cells of A as the microkernel reads them: row r of strip s at cells + s · strip + r · row, K in steps of `k`. */
struct CellsOfA {
  const float* cells;
  int64_t strip, row, k;
};

template <typename Element>
const Element* elementAt(const Matrix& matrix, int64_t row, int64_t column) {
  const int64_t offset = matrix.transposed ? column * matrix.stride + row : row * matrix.stride + column;
  return static_cast<const Element*>(matrix.data) + offset;
}

struct Block {
  const Matrix *a, *b;
  float* c;
  int64_t ldc;
  float alpha;
  bool accumulate;
  int64_t first_row, rows;  // of A and C
  int64_t first_k, k;       // elements of K
  int64_t columns;          // of B and C, all of them
  int64_t row_parts;        // tasks among which the rows of one panel are divided
  CellsOfA cells_of_a;
  float* shared;
  char* panels;
};

template <Cells cells>
int64_t cellsOf(int64_t elements) {
  return (elements + elementsPerCell(cells) - 1) / elementsPerCell(cells);
}

template <Cells cells, typename Element>
void packPartOfA(const Block& block, int64_t part) {
  const int64_t first = part * kPackRows;
  const int64_t rows = block.rows - first < kPackRows ? block.rows - first : kPackRows;
  const Element* from = elementAt<Element>(*block.a, block.first_row + first, block.first_k);
  float* to = block.shared + first / kTileRows * block.cells_of_a.strip;
  if (block.a->transposed) {
    packColumnsOfA<cells>(from, block.a->stride, rows, block.k, to);
  } else {
    packRowsOfA<cells>(from, block.a->stride, rows, block.k, to, block.cells_of_a.row);
  }
}

template <Cells cells>
void packTask(void* argument, int64_t part, int) {
  const Block& block = *static_cast<const Block*>(argument);
  if (block.a->type == DType::bf16) {
    packPartOfA<cells, uint16_t>(block, part);
  } else {
    packPartOfA<cells, float>(block, part);
  }
}

template <Cells cells, typename Element>
void packPanel(const Block& block, int64_t first_column, int columns, int width, float* to) {
  const Element* from = elementAt<Element>(*block.b, block.first_k, first_column);
  if (block.b->transposed) {
    packColumnsOfB<cells>(from, block.b->stride, columns, block.k, to, width);
  } else {
    packRowsOfB<cells>(from, block.b->stride, columns, block.k, to, width);
  }
}

/** Where the panel is read: packed, or where it lies when it is of floats and so few rows use it that packing does not pay. */
template <Cells cells>
const float* preparePanel(const Block& block, int64_t first_column, int columns, int width, float* panel, int64_t* b_k) {
  constexpr int64_t few_rows = 4 * kTileRows;
  if (cells == Cells::exact && block.b->type == DType::f32 && !block.b->transposed && columns == width &&
      block.rows <= few_rows) {
    *b_k = block.b->stride;
    return elementAt<float>(*block.b, block.first_k, first_column);
  }
  *b_k = width;
  if (block.b->type == DType::bf16) {
    packPanel<cells, uint16_t>(block, first_column, columns, width, panel);
  } else {
    packPanel<cells, float>(block, first_column, columns, width, panel);
  }
  return panel;
}

template <Cells cells>
void multiplyTask(void* argument, int64_t index, int thread) {
  const Block& block = *static_cast<const Block*>(argument);
  const int64_t first_column = index / block.row_parts * kTileColumns;
  const int columns = clampCount(block.columns - first_column, kTileColumns);
  const int vectors = (columns + Vec::width - 1) / Vec::width;
  int64_t b_k;
  float* scratch = reinterpret_cast<float*>(block.panels + thread * kPanelBytes);
  const float* panel = preparePanel<cells>(block, first_column, columns, vectors * Vec::width, scratch, &b_k);

  const int64_t strips = (block.rows + kTileRows - 1) / kTileRows;
  const int64_t part = index % block.row_parts;
  const int64_t end = strips * (part + 1) / block.row_parts;
  for (int64_t strip = strips * part / block.row_parts; strip < end; strip++) {
    const int64_t row = strip * kTileRows;
    const int rows = clampCount(block.rows - row, kTileRows);
    float* c = block.c + (block.first_row + row) * block.ldc + first_column;
    const CellsOfA& a = block.cells_of_a;
    microkernelFor<cells>(rows, vectors)(cellsOf<cells>(block.k), a.cells + strip * a.strip, a.row, a.k, panel, b_k,
                                         {c, block.ldc, columns, block.alpha, block.accumulate});
  }
}

template <Cells cells>
void prepareA(Context& context, Block& block) {
  const Matrix& a = *block.a;
  if (cells == Cells::exact && a.type == DType::f32 && !a.transposed) {
    block.cells_of_a = {elementAt<float>(a, block.first_row, block.first_k), kTileRows * a.stride, a.stride, 1};
    return;
  }
  const int64_t cells_k = cellsOf<cells>(block.k);
  const int64_t row_stride = roundUp(cells_k, Vec::width);
  block.cells_of_a = a.transposed ? CellsOfA{block.shared, cells_k * kTileRows, 1, kTileRows}
                                  : CellsOfA{block.shared, row_stride * kTileRows, row_stride, 1};
  runTasks(context, block.rows * block.columns * block.k, (block.rows + kPackRows - 1) / kPackRows, packTask<cells>, &block);
}

int64_t rowParts(int64_t panels, int64_t rows, int threads) {
  constexpr int64_t tasks_per_thread = 8, rows_worth_a_panel = 64;
  const int64_t wanted = (tasks_per_thread * threads + panels - 1) / panels;
  const int64_t most = (rows + rows_worth_a_panel - 1) / rows_worth_a_panel;
  return wanted < most ? wanted : most;
}

template <Cells cells>
void gemmInBlocks(Context& context, int64_t m, int64_t n, int64_t k, float alpha, const Matrix& a, const Matrix& b, float* c,
                  int64_t ldc, bool accumulate) {
  const int threads = context.pool->threads();
  const int64_t panel_bytes = threads * kPanelBytes;
  const int64_t shared_bytes = threads * static_cast<int64_t>(context.scratch_bytes_per_thread) - panel_bytes;
  const int64_t blocks_k = (cellsOf<cells>(k) + kMaxBlockCells - 1) / kMaxBlockCells;
  const int64_t block_cells = roundUp((cellsOf<cells>(k) + blocks_k - 1) / blocks_k, Vec::width);
  const int64_t block_k = block_cells * elementsPerCell(cells);
  const int64_t shared_rows = shared_bytes / (block_cells * 4) / kPackRows * kPackRows;
  const int64_t block_rows = shared_rows < kMaxBlockRows ? shared_rows : kMaxBlockRows;
  const int64_t panels = (n + kTileColumns - 1) / kTileColumns;

  for (int64_t row = 0; row < m; row += block_rows) {
    const int64_t rows = m - row < block_rows ? m - row : block_rows;
    for (int64_t first_k = 0; first_k < k; first_k += block_k) {
      Block block{&a, &b, c, ldc, alpha, accumulate || first_k > 0, row, rows, first_k,
                  k - first_k < block_k ? k - first_k : block_k, n, rowParts(panels, rows, threads), {},
                  reinterpret_cast<float*>(context.scratch + panel_bytes), context.scratch};
      prepareA<cells>(context, block);
      runTasks(context, rows * n * block.k, panels * block.row_parts, multiplyTask<cells>, &block);
    }
  }
}

template <Cells cells>
void gemmWithCells(Context& context, int64_t m, int64_t n, int64_t k, float alpha, const Matrix& a, const Matrix& b, float* c,
                   int64_t ldc, bool accumulate) {
  if (hasFewRows<cells>(m, k, a, b)) return gemmOfFewRows<cells>(context, m, n, k, alpha, a, b, c, ldc, accumulate);
  gemmInBlocks<cells>(context, m, n, k, alpha, a, b, c, ldc, accumulate);
}

}  // namespace

void gemm(Context& context, int64_t m, int64_t n, int64_t k, float alpha, const Matrix& a, const Matrix& b, float* c,
          int64_t ldc, bool accumulate, DType compute) {
  constexpr Cells rounded = kMultipliesPairs ? Cells::pairs : Cells::rounded;
  if (m <= 0 || n <= 0) return;
  if (k <= 0) {
    for (int64_t row = 0; row < m && !accumulate; row++) std::memset(c + row * ldc, 0, static_cast<size_t>(n) * sizeof *c);
    return;
  }
  if (compute == DType::bf16) {
    gemmWithCells<rounded>(context, m, n, k, alpha, a, b, c, ldc, accumulate);
  } else {
    gemmWithCells<Cells::exact>(context, m, n, k, alpha, a, b, c, ldc, accumulate);
  }
}

}  // namespace anneal::ANNEAL_ISA
