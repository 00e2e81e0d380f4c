// Replay of 100,000 rows of pursuit (two observations of 148 numbers): insertion of 1,280 rows out of a chunk, batches
// of 512 rows and their new priorities. Ours, against plain LibTorch: index_copy_; randint, multinomial, or cumsum and
// searchsorted, and an index_select a field; pow and index_copy_. Of LibTorch's update the last error of a row counts,
// and rows that were overwritten are not told apart.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>

#include "shoal/data/replay.hpp"
#include "shoal/ops/ops.hpp"

namespace shoal {

namespace {

constexpr std::int64_t capacity = 100000, width = 148, chunk = 2560, inserted = 1280, batch_rows = 512;
constexpr float alpha = 0.6f, beta = 0.4f;

struct Chunk {
  at::Tensor observations = at::randn({chunk, width}), next = at::randn({chunk, width});
  at::Tensor actions = at::randint(5, {chunk}, at::kInt), returns = at::randn({chunk}), factors = at::rand({chunk});
  at::Tensor live = std::get<0>(at::randperm(chunk).narrow(0, 0, inserted).sort());
  std::vector<at::Tensor> fields{observations, actions, returns, factors, next};
};

ReplayRing ring_of(std::optional<float> a) {
  return {{.fields = {{"observation", at::kFloat, {width}},
                      {"action", at::kInt, {}},
                      {"return"},
                      {"factor"},
                      {"next", at::kFloat, {width}}},
           .capacity = capacity,
           .alpha = a},
          at::kCPU};
}

void insert(ReplayRing& ring, Chunk const& c) {
  std::vector<ReplayRing::Source> sources;
  for (auto const& field : c.fields) sources.push_back({field, c.live});
  ring.insert(sources);
}

/// Full, with errors that differ.
ReplayRing full_ring(std::optional<float> a) {
  auto ring = ring_of(a);
  Chunk const c;
  auto batch = ring.make_batch(inserted);
  for (std::int64_t at = 0; at < capacity; at += inserted) {
    insert(ring, c);
    batch.rows.copy_(at::arange(at, at + inserted).remainder_(capacity));
    batch.inserted = ring.inserted();
    ring.update(batch, at::randn({inserted}));
  }
  return ring;
}

/// What plain LibTorch keeps.
struct Plain {
  std::vector<at::Tensor> fields;
  at::Tensor priorities = at::randn({capacity}).abs_().add_(1e-6).pow_(alpha);
  Plain() {
    auto const ring = full_ring({});
    for (std::size_t f = 0; f < 5; ++f) fields.push_back(ring.field(f).clone());
  }
  void select(at::Tensor const& rows, std::vector<at::Tensor>& out) const {
    for (std::size_t f = 0; f < fields.size(); ++f) at::index_select_out(out[f], fields[f], 0, rows);
  }
};

void insert_ours(benchmark::State& state) {
  auto ring = ring_of(alpha);
  Chunk const c;
  for (auto _ : state) insert(ring, c);
  state.SetItemsProcessed(state.iterations() * inserted);
}

void insert_libtorch(benchmark::State& state) {
  at::NoGradGuard const no_grad;
  Plain plain;
  Chunk const c;
  std::int64_t head = 0;
  for (auto _ : state) {
    auto const rows = at::arange(head, head + inserted).remainder_(capacity);
    for (std::size_t f = 0; f < plain.fields.size(); ++f)
      plain.fields[f].index_copy_(0, rows, c.fields[f].index_select(0, c.live));
    plain.priorities.index_fill_(0, rows, 1);
    head = (head + inserted) % capacity;
  }
  state.SetItemsProcessed(state.iterations() * inserted);
}

void sample_ours(benchmark::State& state, std::optional<float> a) {
  auto ring = full_ring(a);
  auto batch = ring.make_batch(batch_rows);
  for (auto _ : state) ring.sample(batch, beta);
  state.SetItemsProcessed(state.iterations() * batch_rows);
}

/// f() gives the rows of a batch.
template <class F>
void sample_libtorch(benchmark::State& state, Plain const& plain, F f) {
  auto batch = ring_of({}).make_batch(batch_rows);
  for (auto _ : state) plain.select(f(), batch.fields);
  state.SetItemsProcessed(state.iterations() * batch_rows);
}

void sample_randint(benchmark::State& state) {
  at::NoGradGuard const no_grad;
  sample_libtorch(state, Plain(), [] { return at::randint(capacity, {batch_rows}, at::kLong); });
}

at::Tensor weights(Plain const& plain, at::Tensor const& rows) {
  return (plain.priorities.min() / plain.priorities.index_select(0, rows)).pow_(beta);
}

void sample_cumsum(benchmark::State& state) {
  at::NoGradGuard const no_grad;
  Plain const plain;
  sample_libtorch(state, plain, [&] {
    auto const sums = plain.priorities.cumsum(0, at::kDouble);
    auto const targets = at::rand({batch_rows}, at::kDouble).mul_(sums[capacity - 1]);
    auto const rows = at::searchsorted(sums, targets, /*out_int32=*/false, /*right=*/true).clamp_max_(capacity - 1);
    benchmark::DoNotOptimize(weights(plain, rows));
    return rows;
  });
}

void sample_multinomial(benchmark::State& state) {
  at::NoGradGuard const no_grad;
  Plain const plain;
  sample_libtorch(state, plain, [&] {
    auto const rows = at::multinomial(plain.priorities, batch_rows, /*replacement=*/true);
    benchmark::DoNotOptimize(weights(plain, rows));
    return rows;
  });
}

void update_ours(benchmark::State& state) {
  auto ring = full_ring(alpha);
  auto batch = ring.make_batch(batch_rows);
  ring.sample(batch, beta);
  auto const errors = at::randn({batch_rows});
  for (auto _ : state) ring.update(batch, errors);
  state.SetItemsProcessed(state.iterations() * batch_rows);
}

void update_libtorch(benchmark::State& state) {
  at::NoGradGuard const no_grad;
  Plain plain;
  auto const rows = at::randint(capacity, {batch_rows}, at::kLong);
  auto const errors = at::randn({batch_rows});
  auto largest = at::ones({});
  for (auto _ : state) {
    auto const magnitudes = errors.abs();
    plain.priorities.index_copy_(0, rows, (magnitudes + 1e-6).pow_(alpha));
    largest = at::maximum(largest, magnitudes.max());
  }
  state.SetItemsProcessed(state.iterations() * batch_rows);
}

BENCHMARK(insert_ours)->UseRealTime();
BENCHMARK(insert_libtorch)->UseRealTime();
BENCHMARK_CAPTURE(sample_ours, uniform, std::nullopt)->UseRealTime();
BENCHMARK(sample_randint)->UseRealTime();
BENCHMARK_CAPTURE(sample_ours, prioritized, alpha)->UseRealTime();
BENCHMARK(sample_cumsum)->UseRealTime();
BENCHMARK(sample_multinomial)->UseRealTime();
BENCHMARK(update_ours)->UseRealTime();
BENCHMARK(update_libtorch)->UseRealTime();

}  // namespace

}  // namespace shoal
