#include "src/nn/dense.hpp"

#ifdef __AVX__
#include <immintrin.h>
#endif

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <utility>

#include "shoal/core/math.hpp"

namespace shoal {

namespace {

#if defined(__AVX512F__)
constexpr int lanes = 16, most_vectors = 4;  // a tile of 6 x 4 vectors fills 24 of 32 registers
#elif defined(__AVX__)
constexpr int lanes = 8, most_vectors = 2;  // 12 of 16
#else
constexpr int lanes = 4, most_vectors = 2;
#endif
constexpr int most_rows = 6;

// Sums over inputs run in order, each output by itself, or in so many partial sums (dot): the same for every width of
// vectors, so that AVX2 and AVX-512 give the same bits.
constexpr int partial_sums = 16, vectors_of_sum = partial_sums / lanes;
constexpr int most_dot_outputs = 8;

using Vector [[gnu::vector_size(4 * lanes), gnu::aligned(4), gnu::may_alias]] = float;

/// left * right + sum. Rounded once where the processor can: only processors without FMA have other bits.
Vector multiply_add(Vector left, Vector right, Vector sum) {
#if defined(__AVX512F__)
  return Vector(_mm512_fmadd_ps(__m512(left), __m512(right), __m512(sum)));
#elif defined(__FMA__)
  return Vector(_mm256_fmadd_ps(__m256(left), __m256(right), __m256(sum)));
#else
  return sum + left * right;
#endif
}
Vector multiply_add(float left, Vector right, Vector sum) { return multiply_add(left - Vector{}, right, sum); }

int whole_vectors(int width) { return (width + lanes - 1) / lanes * lanes; }

Vector& vector_at(float* p) { return *reinterpret_cast<Vector*>(p); }
Vector const& vector_at(float const* p) { return *reinterpret_cast<Vector const*>(p); }

enum class Start { zero, bias, sum };

/// C = A B (+ bias | + C): A is [m, k], or [k, m] if `transposed`; B [k, n] and C [m, n] with n in whole vectors.
struct Product {
  int m, n, k;
  float const* a;
  int a_stride;
  float const* b;
  int b_stride;
  float* c;
  int c_stride;
  float const* bias = nullptr;   // [n]
  float const* tanhs = nullptr;  // [m, n] with C's stride, or null: C is then multiplied by 1 - tanhs^2
};

template <Start start, bool transposed, int rows, int vectors>
void tile(Product const& p, int row, int column) {
  Vector sums[rows][vectors];
  float* const c = p.c + row * p.c_stride + column;
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      if constexpr (start == Start::zero) sums[r][v] = Vector{};
      if constexpr (start == Start::bias) sums[r][v] = vector_at(p.bias + column + v * lanes);
      if constexpr (start == Start::sum) sums[r][v] = vector_at(c + r * p.c_stride + v * lanes);
    }
  float const* a = p.a + (transposed ? row : row * p.a_stride);
  float const* b = p.b + column;
  for (int k = 0; k < p.k; ++k) {
    Vector right[vectors];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) right[v] = vector_at(b + v * lanes);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      float const left = a[transposed ? r : r * p.a_stride];
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) sums[r][v] = multiply_add(left, right[v], sums[r][v]);
    }
    a += transposed ? p.a_stride : 1;
    b += p.b_stride;
  }
  float const* const tanhs = p.tanhs ? p.tanhs + row * p.c_stride + column : nullptr;
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      int const at = r * p.c_stride + v * lanes;
      if constexpr (start == Start::zero)
        if (tanhs) sums[r][v] *= 1 - vector_at(tanhs + at) * vector_at(tanhs + at);
      vector_at(c + at) = sums[r][v];
    }
}

/// Vectors of a tile with so many rows: enough sums to hide the latency of additions, few enough for the registers.
constexpr int tile_vectors(int rows) { return rows == 1 ? 8 : rows <= 3 ? 4 : most_vectors; }

/// All columns of some rows.
template <Start start, bool transposed, int rows>
void multiply_rows(Product const& p, int row) {
  constexpr int most = tile_vectors(rows);
  static constexpr auto kernels = []<std::size_t... i>(std::index_sequence<i...>) {
    return std::array{&tile<start, transposed, rows, int(i) + 1>...};
  }
  (std::make_index_sequence<std::size_t(most)>());
  for (int column = 0; column < p.n; column += most * lanes)
    kernels[std::size_t(std::min(most, (p.n - column) / lanes) - 1)](p, row, column);
}

template <Start start, bool transposed>
void multiply(Product const& p) {
  static constexpr auto kernels = []<std::size_t... i>(std::index_sequence<i...>) {
    return std::array{&multiply_rows<start, transposed, int(i) + 1>...};
  }
  (std::make_index_sequence<most_rows>());
  for (int row = 0; row < p.m; row += most_rows) kernels[std::size_t(std::min(most_rows, p.m - row) - 1)](p, row);
}

using Four [[gnu::vector_size(16)]] = float;

/// partial_sums partial sums.
struct Sums {
  Vector vectors[vectors_of_sum];
};

Four folded(Sums const& sums) {
  Four parts[partial_sums / 4];
  std::memcpy(parts, &sums, sizeof sums);
  for (int w = partial_sums / 8; w > 0; w /= 2)
    for (int i = 0; i < w; ++i) parts[i] += parts[i + w];
  return parts[0];
}

/// The totals of four.
Four sums_of(Sums const (&v)[4]) {
  using Order [[gnu::vector_size(16)]] = int;
  auto const halves = [](Four a, Four b) {
    return __builtin_shuffle(a, b, Order{0, 1, 4, 5}) + __builtin_shuffle(a, b, Order{2, 3, 6, 7});
  };
  Four const a = halves(folded(v[0]), folded(v[1])), b = halves(folded(v[2]), folded(v[3]));
  return __builtin_shuffle(a, b, Order{0, 2, 4, 6}) + __builtin_shuffle(a, b, Order{1, 3, 5, 7});
}

/// C = A B^T + bias for the few rows of B, a layer of few outputs: columns of C in whole vectors would be padding for
/// the most part. A [m, k] and B [n, k] have zeros up to whole vectors of k.
template <int columns>
void dot_rows(Product const& p, int row, int column) {
  float const* a[4];
  for (int r = 0; r < 4; ++r) a[r] = p.a + std::min(row + r, p.m - 1) * p.a_stride;
  Sums sums[columns][4] = {};
  auto const add = [&](int k, int v) {
#pragma GCC unroll 4
    for (int o = 0; o < columns; ++o)
#pragma GCC unroll 4
      for (int r = 0; r < 4; ++r) {
        auto& sum = sums[o][r].vectors[v];
        sum = multiply_add(vector_at(a[r] + k), vector_at(p.b + (column + o) * p.b_stride + k), sum);
      }
  };
  for (int k = 0; k < p.k; k += partial_sums)
#pragma GCC unroll 4
    for (int v = 0; v < vectors_of_sum; ++v)
      if (k + v * lanes < p.k) add(k + v * lanes, v);
  for (int o = 0; o < columns; ++o) {
    Four const total = sums_of(sums[o]) + p.bias[column + o];
    for (int r = 0; r < std::min(4, p.m - row); ++r) p.c[(row + r) * p.c_stride + column + o] = total[r];
  }
}

void dot(Product const& p) {
  for (int row = 0; row < p.m; row += 4) {
    int column = 0;
    if constexpr (vectors_of_sum == 1) {
      for (; column + 3 <= p.n; column += 3) dot_rows<3>(p, row, column);
      if (p.n - column == 2) dot_rows<2>(p, row, column), column += 2;
    }
    // Registers hold the sums of one column where each takes several.
    for (; column < p.n; ++column) dot_rows<1>(p, row, column);
  }
}

/// As shoal::tanh() has it: a NaN stays, for the second operand of max and min is the result then.
Vector limited(Vector x) {
  Vector const limit = Vector{} + tanh_limit;
#if defined(__AVX512F__)
  return Vector(_mm512_min_ps(__m512(limit), _mm512_max_ps(__m512(-limit), __m512(x))));
#elif defined(__AVX__)
  return Vector(_mm256_min_ps(__m256(limit), _mm256_max_ps(__m256(-limit), __m256(x))));
#else
  x = x < -limit ? -limit : x;
  return x > limit ? limit : x;
#endif
}

/// @param count  in whole vectors
void tanh_in_place(float* x, int count) {
  for (int i = 0; i < count; i += lanes)
    vector_at(x + i) =
        tanh_ratio(limited(vector_at(x + i)), [](Vector a, Vector b, Vector c) { return multiply_add(a, b, c); });
}

/// Adds the rows to `sums`; `stride` is in whole vectors.
void add_rows(float const* rows, int count, int stride, float* sums) {
  for (int column = 0; column < stride; column += lanes) {
    Vector sum = vector_at(sums + column);
    for (int r = 0; r < count; ++r) sum += vector_at(rows + r * stride + column);
    vector_at(sums + column) = sum;
  }
}

}  // namespace

AlignedFloats::AlignedFloats(std::int64_t count) {
  constexpr std::size_t line = 64;
  auto const bytes = (std::size_t(count) * sizeof(float) + line - 1) / line * line;
  memory_.reset(static_cast<float*>(std::aligned_alloc(line, bytes)));
  if (!memory_) throw std::bad_alloc();
  std::fill_n(memory_.get(), bytes / sizeof(float), 0.0f);
}

DenseMlp::DenseMlp(std::vector<int> const& widths) {
  std::int64_t packed = 0;
  auto const take = [](std::int64_t& total, std::int64_t count) { return std::exchange(total, total + count); };
  for (std::size_t l = 1; l < widths.size(); ++l) {
    int const in = widths[l - 1], out = widths[l], in_stride = whole_vectors(in), out_stride = whole_vectors(out);
    Layer layer{.in = in,
                .out = out,
                .in_stride = in_stride,
                .out_stride = out_stride,
                // The first layer's inputs are the caller's rows, which have no padding.
                .transposed_sums = l > 1 && out * in_stride < in * out_stride};
    layer.parameters = take(parameters_, std::int64_t(out) * (in + 1));
    layer.sums = take(sums_, layer.transposed_sums ? out * layer.in_stride : in * layer.out_stride);
    layer.bias_sums = take(sums_, layer.out_stride);
    layer.forward = take(packed, in * layer.out_stride);
    layer.bias = take(packed, layer.out_stride);
    layer.backward = take(packed, out * layer.in_stride);
    layers_.push_back(layer);
  }
  packed_ = AlignedFloats(packed);
}

DenseMlp::Workspace DenseMlp::workspace() const {
  std::int64_t total = 0;
  for (auto const& layer : layers_) total += 2 * block * layer.out_stride;
  Workspace w;
  w.memory = AlignedFloats(total);
  float* next = w.memory.data();
  for (auto const& layer : layers_) {
    w.activations.push_back(std::exchange(next, next + block * layer.out_stride));
    w.gradients.push_back(std::exchange(next, next + block * layer.out_stride));
  }
  return w;
}

void DenseMlp::pack(float const* parameters) {
  for (auto const& layer : layers_) {
    float const* const weight = parameters + layer.parameters;
    float* const forward = packed_.data() + layer.forward;
    for (int o = 0; o < layer.out; ++o) {
      for (int i = 0; i < layer.in; ++i) forward[i * layer.out_stride + o] = weight[o * layer.in + i];
      std::copy_n(weight + o * layer.in, layer.in, packed_.data() + layer.backward + o * layer.in_stride);
    }
    std::copy_n(weight + layer.out * layer.in, layer.out, packed_.data() + layer.bias);
  }
}

void DenseMlp::forward(Workspace& w, float const* x, int rows) const {
  int stride = inputs();
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    auto const& layer = layers_[l];
    float* const y = w.activations[l];
    Product product{.m = rows,
                    .n = layer.out_stride,
                    .k = layer.in,
                    .a = x,
                    .a_stride = stride,
                    .b = packed_.data() + layer.forward,
                    .b_stride = layer.out_stride,
                    .c = y,
                    .c_stride = layer.out_stride,
                    .bias = packed_.data() + layer.bias};
    if (l > 0 && layer.out <= most_dot_outputs) {
      product.n = layer.out;
      product.b = packed_.data() + layer.backward;
      product.b_stride = layer.in_stride;
      dot(product);
    } else {
      multiply<Start::bias, false>(product);
    }
    if (l + 1 < layers_.size()) tanh_in_place(y, rows * layer.out_stride);
    x = y;
    stride = layer.out_stride;
  }
}

void DenseMlp::backward(Workspace& w, float const* x, int rows, float* sums) const {
  for (auto l = layers_.size(); l-- > 0;) {
    auto const& layer = layers_[l];
    float const* const in = l > 0 ? w.activations[l - 1] : x;
    int const in_stride = l > 0 ? layer.in_stride : layer.in;
    float const* const gradient = w.gradients[l];
    Product product{.m = layer.in,
                    .n = layer.out_stride,
                    .k = rows,
                    .a = in,
                    .a_stride = in_stride,
                    .b = gradient,
                    .b_stride = layer.out_stride,
                    .c = sums + layer.sums,
                    .c_stride = layer.out_stride};
    if (layer.transposed_sums) {
      product.m = layer.out;
      product.n = product.c_stride = layer.in_stride;
      std::swap(product.a, product.b);
      std::swap(product.a_stride, product.b_stride);
    }
    multiply<Start::sum, true>(product);
    add_rows(gradient, rows, layer.out_stride, sums + layer.bias_sums);
    if (l == 0) break;
    multiply<Start::zero, false>({.m = rows,
                                  .n = layer.in_stride,
                                  .k = layer.out,
                                  .a = gradient,
                                  .a_stride = layer.out_stride,
                                  .b = packed_.data() + layer.backward,
                                  .b_stride = layer.in_stride,
                                  .c = w.gradients[l - 1],
                                  .c_stride = layer.in_stride,
                                  .tanhs = in});
  }
}

void DenseMlp::unpack(float const* sums, float* gradients) const {
  for (auto const& layer : layers_) {
    float const* const from = sums + layer.sums;
    float* const weight = gradients + layer.parameters;
    for (int o = 0; o < layer.out; ++o)
      for (int i = 0; i < layer.in; ++i)
        weight[o * layer.in + i] =
            layer.transposed_sums ? from[o * layer.in_stride + i] : from[i * layer.out_stride + o];
    std::copy_n(sums + layer.bias_sums, layer.out, weight + layer.out * layer.in);
  }
}

}  // namespace shoal
