// Attention and its gradients against float64, with 1 and 3 threads; then its time at SmolLM2-135M's shape.
//
//   g++ -std=c++17 -O3 -march=native -DANNEAL_ISA=avx512bf16 -Wno-psabi attention_check.cpp ../attention.cpu.cpp
//       ../../../thread_pool.cpp -pthread -o /tmp/attention_check && /tmp/attention_check [threads]
//
// -march says what is tested (for avx2: -march=haswell -DANNEAL_ISA=avx2; for plain: no -march). Exit code 1 on a failure.
// With a number of threads it only measures.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "../../simd.h"
#include "../attention.h"

namespace anneal::ANNEAL_ISA {
namespace {

struct Threads {
  ThreadPool pool;
  char* scratch;
  Context context;
  explicit Threads(int count)
      : pool(count), scratch(static_cast<char*>(std::aligned_alloc(64, count * kScratchBytesPerThread))),
        context{&pool, scratch, kScratchBytesPerThread} {}
  ~Threads() { std::free(scratch); }
};

using Floats = std::vector<float>;

Floats normals(size_t count, std::mt19937& random) {
  std::normal_distribution<float> normal;
  Floats values(count);
  for (float& value : values) value = normal(random);
  return values;
}

struct Reference {
  std::vector<double> out, lse, dq, dk, dv;

  Reference(const AttentionShape& s, const Floats& q, const Floats& k, const Floats& v, const Floats& d_out)
      : out(q.size()), lse(s.heads * s.tokens), dq(q.size()), dk(k.size()), dv(v.size()) {
    const int size = s.head_size, group = s.heads / s.kv_heads;
    std::vector<double> weight(s.tokens), d_weight(s.tokens);
    for (int64_t d = 0; d < s.documents; d++) {
      for (int64_t i = s.cu_seqlens[d]; i < s.cu_seqlens[d + 1]; i++) {
        for (int h = 0; h < s.heads; h++) {
          int64_t first = s.cu_seqlens[d];
          if (s.window > 0 && i - s.window + 1 > first) first = i - s.window + 1;
          const int64_t query = (i * s.heads + h) * size;
          const auto key = [&](int64_t j) { return (j * s.kv_heads + h / group) * size; };
          double total = 0, delta = 0;
          for (int64_t j = first; j <= i; j++) {
            double score = 0;
            for (int c = 0; c < size; c++) score += double(q[query + c]) * k[key(j) + c];
            total += weight[j] = std::exp(s.scale * score);
          }
          lse[h * s.tokens + i] = std::log(total);
          for (int64_t j = first; j <= i; j++) {
            weight[j] /= total;
            d_weight[j] = 0;
            for (int c = 0; c < size; c++) {
              out[query + c] += weight[j] * v[key(j) + c];
              d_weight[j] += double(d_out[query + c]) * v[key(j) + c];
              dv[key(j) + c] += weight[j] * d_out[query + c];
            }
            delta += weight[j] * d_weight[j];
          }
          for (int64_t j = first; j <= i; j++) {
            const double d_score = weight[j] * (d_weight[j] - delta) * s.scale;
            for (int c = 0; c < size; c++) {
              dq[query + c] += d_score * k[key(j) + c];
              dk[key(j) + c] += d_score * q[query + c];
            }
          }
        }
      }
    }
  }
};

/** Mean square error relative to that of the values, or to 1 where they are small (a window of one key has no gradient); a NaN or a value that was not written counts as infinite. */
double error(const Floats& got, const std::vector<double>& expected) {
  double difference = 0, power = got.size();
  for (size_t i = 0; i < got.size(); i++) {
    difference += (got[i] - expected[i]) * (got[i] - expected[i]);
    power += expected[i] * expected[i];
  }
  return difference == difference ? difference / power : INFINITY;
}

bool checkOne(const AttentionShape& s, Threads& one, Threads& three, std::mt19937& random) {
  const size_t n = s.tokens * s.heads * s.head_size, nk = s.tokens * s.kv_heads * s.head_size;
  const Floats q = normals(n, random), k = normals(nk, random), v = normals(nk, random), d_out = normals(n, random);
  const Reference expected(s, q, k, v, d_out);
  struct Results {
    Floats out, lse, dq, dk, dv;
  } results[2];
  for (int i = 0; i < 2; i++) {
    Results& r = results[i];
    Context& context = i ? three.context : one.context;
    r = {Floats(n, NAN), Floats(s.heads * s.tokens, NAN), Floats(n, NAN), Floats(nk, NAN), Floats(nk, NAN)};
    attention_forward(context, s, q.data(), k.data(), v.data(), r.out.data(), r.lse.data());
    attention_backward(context, s, q.data(), k.data(), v.data(), r.out.data(), r.lse.data(), d_out.data(), r.dq.data(),
                       r.dk.data(), r.dv.data());
  }
  const auto same = [](const Floats& a, const Floats& b) { return std::memcmp(a.data(), b.data(), a.size() * 4) == 0; };
  const Results &r = results[0], &t = results[1];
  const bool repeatable = same(r.out, t.out) && same(r.lse, t.lse) && same(r.dq, t.dq) && same(r.dk, t.dk) && same(r.dv, t.dv);
  const double errors[] = {error(r.out, expected.out), error(r.lse, expected.lse), error(r.dq, expected.dq),
                           error(r.dk, expected.dk), error(r.dv, expected.dv)};
  const double tolerance = s.compute == DType::bf16 ? 1e-3 : 1e-11;
  bool good = repeatable;
  for (double e : errors) good = good && e < tolerance;
  if (!good) {
    std::printf("tokens %ld heads %d/%d of %d, documents %ld, window %d, %s: out %.1e lse %.1e dq %.1e dk %.1e dv %.1e%s\n",
                long(s.tokens), s.heads, s.kv_heads, s.head_size, long(s.documents), s.window,
                s.compute == DType::bf16 ? "bf16" : "f32", errors[0], errors[1], errors[2], errors[3], errors[4],
                repeatable ? "" : ", other bits with three threads");
  }
  return good;
}

bool checkCached(int64_t tokens, int64_t start, int heads, int kv_heads, int size, int window, DType type, Threads& one,
                 Threads& three, std::mt19937& random) {
  const int64_t slots = start + tokens;
  Floats q = normals(slots * heads * size, random), k = normals(slots * kv_heads * size, random), v = normals(k.size(), random);
  std::vector<uint16_t> k_half(k.size()), v_half(k.size());
  for (size_t i = 0; i < k.size() && type == DType::bf16; i++) {
    k_half[i] = toBf16(k[i]), k[i] = fromBf16(k_half[i]);
    v_half[i] = toBf16(v[i]), v[i] = fromBf16(v_half[i]);
  }
  const int32_t whole[] = {0, static_cast<int32_t>(slots)};
  const AttentionShape shape{slots, heads, kv_heads, size, 1, whole, 0.125f, window};
  const Reference all(shape, q, k, v, Floats(q.size()));
  const int64_t skip = start * heads * size;
  const std::vector<double> expected(all.out.begin() + skip, all.out.end());
  Floats out(expected.size(), NAN), again(expected.size(), NAN);
  const void *keys = type == DType::bf16 ? static_cast<void*>(k_half.data()) : k.data();
  const void *values = type == DType::bf16 ? static_cast<void*>(v_half.data()) : v.data();
  attention_cached(one.context, tokens, start, heads, kv_heads, size, 0.125f, window, 0, q.data() + skip, keys, values, type,
                   out.data());
  attention_cached(three.context, tokens, start, heads, kv_heads, size, 0.125f, window, 0, q.data() + skip, keys, values, type,
                   again.data());
  const bool repeatable = std::memcmp(out.data(), again.data(), out.size() * 4) == 0;
  const double e = error(out, expected);
  if (e < 1e-11 && repeatable) return true;
  std::printf("cached: tokens %ld from %ld, heads %d/%d of %d, window %d, %s: %.1e%s\n", long(tokens), long(start), heads,
              kv_heads, size, window, type == DType::bf16 ? "bf16" : "f32", e, repeatable ? "" : ", other bits with three threads");
  return false;
}

int check() {
  Threads one(1), three(3);
  std::mt19937 random(3407);
  const int sizes[] = {8, 16, 24, 64, 80, 96, 128, 256, 1, 20, 33}, groups[] = {1, 2, 3, 4, 7}, windows[] = {0, 0, 1, 5, 64, 130};
  int calls = 0;
  for (int i = 0; i < 240; i++) {
    const int kv_heads = 1 + random() % 3, heads = kv_heads * groups[random() % 5], size = sizes[i % 11];
    std::vector<int32_t> ends{0};
    for (int64_t d = 0, most = 1 + random() % 4; d < most; d++) {
      ends.push_back(ends.back() + random() % (i % 3 ? 40 : 150) + (d == 0));
    }
    const AttentionShape shape{ends.back(), heads, kv_heads, size, static_cast<int64_t>(ends.size() - 1), ends.data(),
                               0.125f, windows[random() % 6], i % 4 == 3 ? DType::bf16 : DType::f32};
    if (!checkOne(shape, one, three, random)) return 1;
    const int64_t tokens = i % 2 ? 1 : 1 + random() % 100, start = random() % (i % 5 ? 50 : 900);
    const DType type = random() % 2 ? DType::bf16 : DType::f32;
    if (!checkCached(tokens, start, heads, kv_heads, size, windows[random() % 6], type, one, three, random)) return 1;
    calls += 2;
  }
  std::printf("%d calls agree with float64, the same bits with 1 and 3 threads\n", calls);
  return 0;
}

template <typename Run>
double bestSeconds(Run run) {
  double best = 1e9;
  for (int i = 0; i < 40; i++) {
    const auto start = std::chrono::steady_clock::now();
    run();
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (took < best) best = took;
  }
  return best;
}

void measure(int threads) {
  Threads all(threads);
  std::mt19937 random(1);
  struct Row {
    int tokens, documents, heads, kv_heads, size;
  };
  for (const Row& row : {Row{512, 1, 9, 3, 64}, Row{512, 8, 9, 3, 64}, Row{2048, 1, 9, 3, 64}, Row{512, 1, 16, 8, 128}}) {
    std::vector<int32_t> ends;
    for (int d = 0; d <= row.documents; d++) ends.push_back(row.tokens / row.documents * d);
    AttentionShape shape{row.tokens, row.heads, row.kv_heads, row.size, row.documents, ends.data(), 0.125f, 0};
    const size_t n = row.tokens * row.heads * row.size, nk = row.tokens * row.kv_heads * row.size;
    const Floats q = normals(n, random), k = normals(nk, random), v = normals(nk, random), d_out = normals(n, random);
    Floats out(n), lse(row.heads * row.tokens), dq(n), dk(nk), dv(nk);
    const double length = double(row.tokens) / row.documents;
    const double flops = 2.0 * row.documents * length * (length + 1) / 2 * row.heads * row.size;
    for (DType compute : {DType::f32, DType::bf16}) {
      shape.compute = compute;
      const double forward = bestSeconds([&] {
        attention_forward(all.context, shape, q.data(), k.data(), v.data(), out.data(), lse.data());
      });
      const double backward = bestSeconds([&] {
        attention_backward(all.context, shape, q.data(), k.data(), v.data(), out.data(), lse.data(), d_out.data(), dq.data(),
                           dk.data(), dv.data());
      });
      std::printf("%4d tokens in %d documents, %2d/%d heads of %3d, %s: forward %.3f ms (%.0f GFLOP/s), backward %.3f ms (%.0f)\n",
                  row.tokens, row.documents, row.heads, row.kv_heads, row.size, compute == DType::bf16 ? "bf16" : "f32 ",
                  forward * 1e3, 2 * flops / forward * 1e-9, backward * 1e3, 5 * flops / backward * 1e-9);
    }
  }
  for (int start : {0, 511, 4095}) {
    const int tokens = start == 0 ? 512 : 1;
    std::vector<uint16_t> k((start + tokens) * 3 * 64), v(k.size());
    const Floats q = normals(tokens * 9 * 64, random);
    Floats out(q.size());
    const double best = bestSeconds([&] {
      attention_cached(all.context, tokens, start, 9, 3, 64, 0.125f, 0, 0, q.data(), k.data(), v.data(), DType::bf16, out.data());
    });
    std::printf("cached, %3d tokens from %4d, 9/3 heads of 64, bf16: %.1f us\n", tokens, start, best * 1e6);
  }
}

}  // namespace
}  // namespace anneal::ANNEAL_ISA

int main(int count, char** arguments) {
  if (count == 1) return anneal::ANNEAL_ISA::check();
  anneal::ANNEAL_ISA::measure(std::atoi(arguments[1]));
}
