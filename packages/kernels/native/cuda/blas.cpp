#include "cuda/blas.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "cuda/blas_library.h"

namespace anneal::cuda {
namespace {

/** Algorithms asked for at every new shape, of which the first with small clusters runs until `choose` says otherwise. */
constexpr int kProposals = 32;

cudaDataType_t cudaType(DType type) { return type == DType::bf16 ? CUDA_R_16BF : CUDA_R_32F; }

/**
 * The largest power of two up to 64 that divides the address. A plan places its tensors at multiples of 64: whether at multiples of more
 * differs from plan to plan, and with it another algorithm would be chosen, whose bits are others.
 */
uint32_t alignmentOf(const void* data) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(data) | 64;
  return static_cast<uint32_t>(address & (~address + 1));
}

using Key = std::array<int64_t, 15>;

/** All that an algorithm may depend on. */
Key keyOf(const Product& p) {
  return {p.rows,
          p.columns,
          p.inner,
          static_cast<int64_t>(p.a.type),
          static_cast<int64_t>(p.type),
          p.a.stride,
          p.b.stride,
          p.stride,
          p.a.transposed,
          p.b.transposed,
          p.c == nullptr ? 0 : p.c == p.d ? 1 : 2,
          alignmentOf(p.a.data),
          alignmentOf(p.b.data),
          alignmentOf(p.c ? p.c : p.d),
          alignmentOf(p.d)};
}

struct Plan {
  cublasLtMatmulDesc_t operation = nullptr;
  cublasLtMatrixLayout_t a = nullptr, b = nullptr, d = nullptr;
  std::vector<cublasLtMatmulHeuristicResult_t> proposals;
  size_t chosen = 0;
  const char* problem = nullptr;
};

}  // namespace

struct Blas::State {
  BlasLibrary library;
  cublasLtHandle_t handle = nullptr;
  void* workspace = nullptr;
  size_t workspaceBytes = 0;
  std::map<Key, Plan> plans;

  Plan& planFor(const Product& product) {
    const auto [at, isNew] = plans.try_emplace(keyOf(product));
    if (isNew) at->second.problem = describe(prepare(at->second, product));
    return at->second;
  }

  cublasStatus_t prepare(Plan& plan, const Product& product);
  cublasStatus_t propose(Plan& plan, const Product& product);
  bool hasSmallClusters(const cublasLtMatmulAlgo_t& algorithm) const;

  ~State() {
    for (auto& [key, plan] : plans) {
      for (cublasLtMatrixLayout_t layout : {plan.a, plan.b, plan.d})
        if (layout) library.cublasLtMatrixLayoutDestroy(layout);
      if (plan.operation) library.cublasLtMatmulDescDestroy(plan.operation);
    }
    if (handle) library.cublasLtDestroy(handle);
    if (workspace) cudaFree(workspace);
  }
};

// cuBLASLt counts by columns: it sees every matrix of ours transposed, and computes dᵀ = op(b)ᵀ · op(a)ᵀ.
cublasStatus_t Blas::State::prepare(Plan& plan, const Product& product) {
  const Matrix &a = product.a, &b = product.b;
  if (a.type != b.type) return CUBLAS_STATUS_INVALID_VALUE;
  cublasStatus_t status = library.cublasLtMatmulDescCreate(&plan.operation, CUBLAS_COMPUTE_32F, CUDA_R_32F);
  const auto setTranspose = [&](cublasLtMatmulDescAttributes_t which, bool transposed) {
    const cublasOperation_t value = transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
    if (status == CUBLAS_STATUS_SUCCESS) status = library.cublasLtMatmulDescSetAttribute(plan.operation, which, &value, sizeof value);
  };
  setTranspose(CUBLASLT_MATMUL_DESC_TRANSA, b.transposed);
  setTranspose(CUBLASLT_MATMUL_DESC_TRANSB, a.transposed);
  const auto layOut = [&](cublasLtMatrixLayout_t& layout, DType type, int64_t rows, int64_t columns, int64_t stride) {
    if (status == CUBLAS_STATUS_SUCCESS)
      status = library.cublasLtMatrixLayoutCreate(&layout, cudaType(type), static_cast<uint64_t>(columns), static_cast<uint64_t>(rows), stride);
  };
  layOut(plan.a, a.type, a.transposed ? product.inner : product.rows, a.transposed ? product.rows : product.inner, a.stride);
  layOut(plan.b, b.type, b.transposed ? product.columns : product.inner, b.transposed ? product.inner : product.columns, b.stride);
  layOut(plan.d, product.type, product.rows, product.columns, product.stride);
  return status == CUBLAS_STATUS_SUCCESS ? propose(plan, product) : status;
}

cublasStatus_t Blas::State::propose(Plan& plan, const Product& product) {
  cublasLtMatmulPreference_t preference;
  cublasStatus_t status = library.cublasLtMatmulPreferenceCreate(&preference);
  if (status != CUBLAS_STATUS_SUCCESS) return status;
  const auto prefer = [&](cublasLtMatmulPreferenceAttributes_t which, auto value) {
    if (status == CUBLAS_STATUS_SUCCESS) status = library.cublasLtMatmulPreferenceSetAttribute(preference, which, &value, sizeof value);
  };
  prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, uint64_t{workspaceBytes});
  // Partial sums are joined in float32 and in one order, never in place by whoever comes first.
  prefer(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, uint32_t{CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE});
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignmentOf(product.b.data));
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignmentOf(product.a.data));
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignmentOf(product.c ? product.c : product.d));
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignmentOf(product.d));
  int found = 0;
  plan.proposals.resize(kProposals);
  if (status == CUBLAS_STATUS_SUCCESS)
    status = library.cublasLtMatmulAlgoGetHeuristic(handle, plan.operation, plan.b, plan.a, plan.d, plan.d, preference, kProposals, plan.proposals.data(),
                                                    &found);
  plan.proposals.resize(found);
  std::stable_partition(plan.proposals.begin(), plan.proposals.end(), [&](const auto& proposal) { return hasSmallClusters(proposal.algo); });
  library.cublasLtMatmulPreferenceDestroy(preference);
  return status == CUBLAS_STATUS_SUCCESS && found == 0 ? CUBLAS_STATUS_NOT_SUPPORTED : status;
}

/**
 * Whether blocks run in clusters of two at most, or alone. Those of eight of cuBLASLt 13.1 ended two runs on H100s that six processes shared: a
 * warp of nvjet_sm90_tst_144x128_64x6_2x4_h_bx_TNN arrived at the barrier of a block of its cluster that was there no more. No step that was
 * measured takes longer without them.
 */
bool Blas::State::hasSmallClusters(const cublasLtMatmulAlgo_t& algorithm) const {
  uint16_t shape = CUBLASLT_CLUSTER_SHAPE_AUTO;
  size_t written = 0;
  library.cublasLtMatmulAlgoConfigGetAttribute(&algorithm, CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID, &shape, sizeof shape, &written);
  return shape == CUBLASLT_CLUSTER_SHAPE_AUTO || shape == CUBLASLT_CLUSTER_SHAPE_1x1x1 || shape == CUBLASLT_CLUSTER_SHAPE_2x1x1 ||
         shape == CUBLASLT_CLUSTER_SHAPE_1x2x1;
}

std::unique_ptr<Blas> Blas::open(size_t workspace_bytes, std::string& problem) {
  auto state = std::make_unique<State>();
  state->workspaceBytes = workspace_bytes;
  if (!openBlasLibrary(state->library, problem)) return nullptr;
  if (const char* text = describe(state->library.cublasLtCreate(&state->handle))) {
    problem = std::string(text) + " (" + state->library.path + ")";
    return nullptr;
  }
  const cudaError_t error = cudaMalloc(&state->workspace, workspace_bytes);
  if (error != cudaSuccess) {
    problem = std::string("No memory on the device for cuBLASLt's workspace of ") + std::to_string(workspace_bytes >> 20) + " MiB: " + cudaGetErrorString(error);
    return nullptr;
  }
  return std::unique_ptr<Blas>(new Blas(std::move(state)));
}

Blas::Blas(std::unique_ptr<State> state) : state_(std::move(state)) {}
Blas::~Blas() = default;

const char* Blas::multiply(cudaStream_t stream, const Product& product) {
  if (product.rows == 0 || product.columns == 0) return nullptr;
  const Plan& plan = state_->planFor(product);
  if (plan.problem) return plan.problem;
  const float beta = product.c ? 1.0f : 0.0f;
  const void* c = product.c ? product.c : product.d;
  return describe(state_->library.cublasLtMatmul(state_->handle, plan.operation, &product.alpha, product.b.data, plan.b, product.a.data, plan.a, &beta, c,
                                                 plan.d, product.d, plan.d, &plan.proposals[plan.chosen].algo, state_->workspace, state_->workspaceBytes, stream));
}

int Blas::algorithms(const Product& product) { return static_cast<int>(state_->planFor(product).proposals.size()); }

bool Blas::choose(const Product& product, int index) {
  Plan& plan = state_->planFor(product);
  if (index < 0 || index >= static_cast<int>(plan.proposals.size())) return false;
  plan.chosen = static_cast<size_t>(index);
  return true;
}

size_t Blas::version() const { return state_->library.cublasLtGetVersion(); }
const std::string& Blas::path() const { return state_->library.path; }

}  // namespace anneal::cuda
