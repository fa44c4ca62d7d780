#include "gemm.h"

#include "few_rows.h"
#include "pack.h"
#include "product.h"
#include "tile_kernel.h"

// C is computed in blocks of at most kMaxBlockRows rows and kMaxBlockCells along K. In a block, A is brought into cells once,
// by all threads, into scratch they share (float32 rows are read where they lie). Then each task packs one panel of B,
// kTileColumns (with AMX 32) wide, into its thread's own scratch and goes down the rows of A with it.

namespace anneal::ANNEAL_ISA {
namespace {

constexpr int64_t kMaxBlockRows = 1024;
constexpr int64_t kMaxBlockCells = 768;  // a panel of B is then 144 KiB, which streams from L2 at full speed
constexpr int64_t kPanelBytes = kMaxBlockCells * kTileColumns * 4;
constexpr int64_t kPackRows = 64;  // rows of A that one task packs
constexpr int64_t kCachedBytes = 256 << 10;  // cells that stay in the L2 cache of a core
static_assert(kScratchBytesPerThread >= 4 * kPanelBytes, "room for a panel a thread, and for the rows of A they share");

struct Block {
  const Product* product;
  bool accumulate;
  int64_t first_row, rows;  // of A and C
  int64_t first_k, k;       // elements along K
  int64_t row_parts;        // tasks among which the rows of one panel are divided
  float* cells_of_a;        // shared by all threads
  char* panels;             // kPanelBytes for each thread
};

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

template <Cells cells>
bool isReadInPlace(const Matrix& a) {
  return cells == Cells::exact && a.type == DType::f32 && !a.transposed;
}

template <Cells cells>
CellsOfA cellsOfA(const Block& block) {
  const Matrix& a = block.product->a;
  if (isReadInPlace<cells>(a)) {
    return {elementAt<float>(a, block.first_row, block.first_k), kTileRows * a.stride, a.stride, 1};
  }
  const int64_t cells_k = cellsFor<cells>(block.k), row = roundUp(cells_k, Vec::width);
  if (cells == Cells::tiles) return {block.cells_of_a, row * kAmxRows, row, 1};
  if (cells == Cells::squares) return {block.cells_of_a, packedCellsFor<cells>(block.k) * kTileRows, 0, 0};
  if (a.transposed) return {block.cells_of_a, cells_k * kTileRows, 1, kTileRows};
  return {block.cells_of_a, row * kTileRows, row, 1};
}

template <Cells cells, typename Element>
void packPartOfA(const Block& block, int64_t part) {
  const Matrix& a = block.product->a;
  const int64_t first = part * kPackRows;
  const int64_t rows = smaller(block.rows - first, kPackRows);
  const Element* from = elementAt<Element>(a, block.first_row + first, block.first_k);
  const CellsOfA layout = cellsOfA<cells>(block);
  float* to = block.cells_of_a + first / tileRows<cells>() * layout.strip;
  if (cells == Cells::squares) {
    for (int64_t r = 0; r < rows; r += kTileRows, to += layout.strip) {
      const int count = clampCount(rows - r, kTileRows);
      packStripOfSquares<cells>(from + r * (a.transposed ? 1 : a.stride), a.stride, a.transposed, count, block.k, to);
    }
  } else if (a.transposed && cells == Cells::tiles) {
    packColumnsOfAInRows<cells>(from, a.stride, rows, block.k, to, layout.row);
  } else if (a.transposed) {
    packColumnsOfA<cells>(from, a.stride, rows, block.k, to);
  } else {
    packRowsOfA<cells>(from, a.stride, rows, block.k, to, layout.row);
  }
}

template <Cells cells>
void packTask(void* argument, int64_t part, int) {
  const Block& block = *static_cast<const Block*>(argument);
  if (block.product->a.type == DType::bf16) {
    packPartOfA<cells, uint16_t>(block, part);
  } else {
    packPartOfA<cells, float>(block, part);
  }
}

/** A panel of B: rows of the microkernel's width, `stride` cells apart. */
struct PanelOfB {
  const float* cells;
  int64_t stride;
};

template <Cells cells, typename Element>
PanelOfB packPanel(const Block& block, int64_t first_column, int columns, int width, float* to) {
  const Matrix& b = block.product->b;
  const Element* from = elementAt<Element>(b, block.first_k, first_column);
  if (b.transposed) {
    packColumnsOfB<cells>(from, b.stride, columns, block.k, to, width);
  } else {
    packRowsOfB<cells>(from, b.stride, columns, block.k, to, width);
  }
  return {to, width};
}

/** The panel packed, or where it lies when it is of floats and so few rows use it that packing does not pay. */
template <Cells cells>
PanelOfB preparePanel(const Block& block, int64_t first_column, int columns, int width, float* room) {
  constexpr int64_t rows_worth_packing = 4 * kTileRows + 1;
  const Matrix& b = block.product->b;
  if (b.type == DType::bf16) return packPanel<cells, uint16_t>(block, first_column, columns, width, room);
  if (cells == Cells::exact && !b.transposed && columns == width && block.rows < rows_worth_packing) {
    return {elementAt<float>(b, block.first_k, first_column), b.stride};
  }
  return packPanel<cells, float>(block, first_column, columns, width, room);
}

template <Cells cells>
void multiplyTask(void* argument, int64_t index, int thread) {
  const Block& block = *static_cast<const Block*>(argument);
  const Product& product = *block.product;
  const int64_t first_column = index / block.row_parts * tileColumns<cells>(), part = index % block.row_parts;
  const int columns = clampCount(product.n - first_column, tileColumns<cells>());
  const int vectors = (columns + Vec::width - 1) / Vec::width;
  float* room = reinterpret_cast<float*>(block.panels + thread * kPanelBytes);
  const PanelOfB b = preparePanel<cells>(block, first_column, columns, vectors * Vec::width, room);
  const CellsOfA a = cellsOfA<cells>(block);

  const int64_t strips = (block.rows + tileRows<cells>() - 1) / tileRows<cells>();
  const int64_t end = strips * (part + 1) / block.row_parts;
  const TilesInUse<cells> in_use;
  for (int64_t strip = strips * part / block.row_parts; strip < end; strip++) {
    const int64_t row = strip * tileRows<cells>();
    const int rows = clampCount(block.rows - row, tileRows<cells>());
    float* c = product.c + (block.first_row + row) * product.ldc + first_column;
    multiplyTile<cells>(cellsFor<cells>(block.k), rows, vectors, a.cells + strip * a.strip, a.row, a.k, b.cells, b.stride,
                        {c, product.ldc, columns, product.alpha, block.accumulate});
  }
}

/** Enough tasks to keep all threads busy to the end, but not so many that each panel of B is packed for a few rows only. */
template <Cells cells>
int64_t rowParts(int64_t panels, int64_t rows, int threads) {
  // Tiles multiply so fast that a panel packed again costs more than threads that wait at the end.
  constexpr int64_t tasks_per_thread = cells == Cells::tiles ? 2 : 8, rows_worth_a_panel = 64;
  const int64_t wanted = (tasks_per_thread * threads + panels - 1) / panels;
  return smaller(wanted, (rows + rows_worth_a_panel - 1) / rows_worth_a_panel);
}

template <Cells cells>
void gemmInBlocks(Context& context, const Product& product) {
  const int threads = context.pool->threads();
  char* shared = context.scratch + threads * kPanelBytes;
  const int64_t shared_bytes = threads * (static_cast<int64_t>(context.scratch_bytes_per_thread) - kPanelBytes);
  const int64_t all_cells = cellsFor<cells>(product.k);
  const int64_t blocks_k = (all_cells + kMaxBlockCells - 1) / kMaxBlockCells;
  const int64_t block_cells = roundUp((all_cells + blocks_k - 1) / blocks_k, Vec::width);
  const int64_t block_k = block_cells * elementsPerCell(cells);
  const int64_t panels = (product.n + tileColumns<cells>() - 1) / tileColumns<cells>();
  // Where one panel alone reads the cells of A, their way through memory costs more than the products: LoRA's x·Aᵀ.
  const int64_t room = panels == 1 ? threads * kCachedBytes : shared_bytes;
  const int64_t block_rows = smaller(room / (block_cells * 4) / kPackRows * kPackRows, kMaxBlockRows);

  for (int64_t row = 0; row < product.m; row += block_rows) {
    for (int64_t k = 0; k < product.k; k += block_k) {
      Block block;
      block.product = &product;
      block.accumulate = product.accumulate || k > 0;
      block.first_row = row;
      block.rows = smaller(product.m - row, block_rows);
      block.first_k = k;
      block.k = smaller(product.k - k, block_k);
      block.row_parts = rowParts<cells>(panels, block.rows, threads);
      block.cells_of_a = reinterpret_cast<float*>(shared);
      block.panels = context.scratch;
      const int64_t products = block.rows * product.n * block.k;
      if (!isReadInPlace<cells>(product.a)) {
        runTasks(context, products, (block.rows + kPackRows - 1) / kPackRows, packTask<cells>, &block);
      }
      runTasks(context, products, panels * block.row_parts, multiplyTask<cells>, &block);
    }
  }
}

template <Cells cells, Cells block_cells>
void gemmWithCells(Context& context, const Product& product) {
  if (hasFewRows(product)) {
    gemmOfFewRows<cells>(context, product);
  } else {
    gemmInBlocks<block_cells>(context, product);
  }
}

}  // namespace

void gemm(Context& context, int64_t m, int64_t n, int64_t k, float alpha, const Matrix& a, const Matrix& b, float* c,
          int64_t ldc, bool accumulate, DType compute) {
  if (m <= 0 || n <= 0) return;
  if (k <= 0) {
    for (int64_t row = 0; row < m && !accumulate; row++) std::memset(c + row * ldc, 0, static_cast<size_t>(n) * sizeof *c);
    return;
  }
  const Product product{m, n, k, alpha, a, b, c, ldc, accumulate};
  if (compute == DType::bf16 && hasFewRows(product) && product.k <= Vec::width) {
    // Half a vector of pairs takes longer to fill than a whole one of floats: bench/results/epyc-zen4-2core-gemm.txt.
    gemmOfFewRows<Cells::rounded>(context, product);
  } else if (compute == DType::bf16) {
    gemmWithCells<kRoundedCells, kRoundedBlockCells>(context, product);
  } else {
    gemmWithCells<Cells::exact, Cells::exact>(context, product);
  }
}

}  // namespace anneal::ANNEAL_ISA
