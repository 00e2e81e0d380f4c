#include "shoal/ops/ops.hpp"

#include "shoal/core/error.hpp"
#include "shoal/ops/parallel.hpp"

#ifdef SHOAL_HAS_CUDA
#include <c10/cuda/CUDAStream.h>

#include "shoal/ops/launch.hpp"
#endif

namespace shoal::ops {

namespace {

// Runs `on_cuda(stream)` where the device is CUDA; returns false on the CPU.
template <class F>
bool launched([[maybe_unused]] c10::Device device, [[maybe_unused]] F on_cuda) {
  if (device.is_cpu()) return false;
#ifdef SHOAL_HAS_CUDA
  on_cuda(static_cast<void*>(c10::cuda::getCurrentCUDAStream(device.index()).stream()));
  return true;
#else
  throw Error("tensors on CUDA in a build without CUDA");
#endif
}

template <class F>
void parallel(std::int64_t n, std::int64_t grain, F f) {
  parallel_for(n, grain, [&](int, std::int64_t begin, std::int64_t end) {
    for (auto i = begin; i < end; ++i) f(i);
  });
}

/// f(first, count) for blocks of `block` indices below n, the last one shorter; at least `grain` blocks a thread.
template <class F>
void parallel_blocks(std::int64_t n, int block, std::int64_t grain, F f) {
  parallel((n + block - 1) / block, grain,
           [&](std::int64_t b) { f(b * block, int(std::min<std::int64_t>(block, n - b * block))); });
}

/// Rows of a gather lie scattered: the processor cannot know where the next one begins.
void prefetch_row(GatherArgs const& args, std::int64_t row) {
  constexpr int line = 64;
  for (int f = 0; f < args.count; ++f) {
    auto const& field = args.fields[f];
    auto const* const from = field.from + args.index[row] * field.bytes;
    for (int byte = 0; byte < field.bytes; byte += line) __builtin_prefetch(from + byte);
  }
}

#ifdef SHOAL_HAS_CUDA
#define SHOAL_LAUNCHED(name) launched(device, [&](void* stream) { cuda::name(args, stream); })
#else
#define SHOAL_LAUNCHED(name) launched(device, 0)
#endif

}  // namespace

void sample(SampleArgs const& args, c10::Device device) {
  if (SHOAL_LAUNCHED(sample)) return;
  parallel_blocks(args.rows, sample_block, 2,
                  [&](std::int64_t first, int count) { sample_rows<sample_block>(args, first, count); });
}

void gae(GaeArgs const& args, c10::Device device) {
  if (SHOAL_LAUNCHED(gae)) return;
  constexpr int block = 64;  // neighbours share cache lines in every step
  parallel_blocks(args.columns, block, 4,
                  [&](std::int64_t first, int count) { gae_columns<block>(args, first, count); });
}

void standardize(StandardizeArgs const& args, c10::Device device) {
  if (args.count == 0) return;
  if (SHOAL_LAUNCHED(standardize)) return;
  parallel(args.chunks(), 1, [&](std::int64_t c) { chunk_moments(SerialTeam{}, args, c); });
  fold_moments(SerialTeam{}, args);
  parallel(args.count, 8192, [&](std::int64_t i) { standardize_element(args, i); });
}

void gather(GatherArgs const& args, c10::Device device) {
  if (SHOAL_LAUNCHED(gather)) return;
  constexpr std::int64_t ahead = 4;
  parallel(args.rows, 512, [&](std::int64_t row) {
    if (row + ahead < args.rows) prefetch_row(args, row + ahead);
    gather_row(SerialTeam{}, args, row);
  });
}

void ppo_loss(PpoLossArgs const& args, c10::Device device) {
  if (SHOAL_LAUNCHED(ppo_loss)) return;
  NormalHead normals[max_continuous_heads];
  for (int h = 0; h < args.layout.continuous; ++h) normals[h] = normal_head(args, h);
  parallel_blocks(args.rows, ppo_loss_block, 8,
                  [&](std::int64_t first, int count) { ppo_loss_rows<ppo_loss_block>(args, normals, first, count); });
}

bool infer([[maybe_unused]] InferArgs const& args, [[maybe_unused]] c10::Device device) {
#ifdef SHOAL_HAS_CUDA
  if (device.is_cuda() && cuda::can_infer(args)) return SHOAL_LAUNCHED(infer);
#endif
  return false;
}

bool can_differentiate([[maybe_unused]] GradientArgs const& args, [[maybe_unused]] c10::Device device) {
#ifdef SHOAL_HAS_CUDA
  return device.is_cuda() && cuda::can_differentiate(args);
#else
  return false;
#endif
}

void differentiate([[maybe_unused]] GradientArgs const& args, c10::Device device) {
  if (!SHOAL_LAUNCHED(differentiate)) throw Error("no kernel of gradients for the CPU");
}

void shuffle(ShuffleArgs const& args, c10::Device device) {
  if (SHOAL_LAUNCHED(shuffle)) return;
  auto const order = make_shuffle(args);
  parallel(args.count, 4096, [&](std::int64_t i) { shuffle_element(args, order, i); });
}

void adam(AdamArgs const& args, c10::Device device) {
  if (SHOAL_LAUNCHED(adam)) return;
  for (std::int64_t c = 0; c < args.chunks(); ++c) adam_chunk(SerialTeam{}, args, c);
  adam_prepare(SerialTeam{}, args);
  parallel(args.count, 1 << 15, [&](std::int64_t i) { adam_element(args, i); });
}

void uniform(UniformArgs const& args, c10::Device device) {
  if (SHOAL_LAUNCHED(uniform)) return;
  auto const pattern = make_uniform_pattern(args);
  parallel((args.draws() + uniform_block - 1) / uniform_block, 4,
           [&](std::int64_t b) { uniform_draws(args, pattern, b); });
}

void heuristic(Heuristic const& own, HeuristicArgs const& args, c10::Device device) {
  if (launched(device, [&](void* stream) { own.act(args, 0, args.rows(), stream); })) return;
  parallel_for(args.rows(), 256,
               [&](int, std::int64_t begin, std::int64_t end) { own.act(args, begin, end, nullptr); });
}

void nstep(NStepArgs const& args, c10::Device device) {
  if (SHOAL_LAUNCHED(nstep)) return;
  constexpr int block = 64;
  auto const blocks = (args.columns + block - 1) / block;
  parallel(args.steps * blocks, 4, [&](std::int64_t b) {
    auto const first = b % blocks * block;
    nstep_rows<block>(args, int(b / blocks), first, int(std::min<std::int64_t>(block, args.columns - first)));
  });
}

void draw_rows(DrawRowsArgs const& args, c10::Device device) {
  if (SHOAL_LAUNCHED(draw_rows)) return;
  if (args.priorities) {
    parallel(args.blocks(), 8, [&](std::int64_t b) { sum_block<4>(SerialTeam{}, args, b); });
    fold_blocks(args);
  }
  parallel(args.draws, 128, [&](std::int64_t i) { draw_row(args, i); });
}

void new_priorities(NewPrioritiesArgs const& args, c10::Device device) {
  if (SHOAL_LAUNCHED(new_priorities)) return;
  parallel(args.count, 4096, [&](std::int64_t i) { new_priority(args, i); });
}

void update_priorities(UpdatePrioritiesArgs const& args, c10::Device device) {
  if (SHOAL_LAUNCHED(update_priorities)) return;
  for (std::int64_t i = 0; i < args.count; ++i) clear_priority(args, i);
  for (std::int64_t i = 0; i < args.count; ++i) raise_priority(args, i);
}

#undef SHOAL_LAUNCHED

}  // namespace shoal::ops
