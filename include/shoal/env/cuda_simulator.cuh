// The CUDA backend: one kernel per batch operation, a team of Env::lanes threads per instance. What a step does is
// step_instance of shoal/env/batch.hpp, tested on the CPU; here are only memory, streams and launches.
//
// Where things live during a step:
//   Params        the kernel's parameters (constant memory), by value
//   Scratch       shared memory
//   State         global memory, as it lies in the batch
//   metrics row   global memory: touched only when an episode ends
//
//   State in...   idea                                                                         agent steps/s, H200
//   global        moves only the fields in use; occupancy bound by registers alone             not yet measured
//   shared        all lanes copy it in and out in 16-byte chunks, the whole of it (Market:     not written
//                 2 x 1.6 kB a step, of which 5 merchants use 1.2 kB); re-reads come from shared memory
// Market reads few fields twice within a step (links and quotes, once a side), which L1 serves; hence global.
//
// tests/kernels/parity_test.cu compares every output with the CPU, bit for bit; bench/kernels/step_bench.cu measures.
#pragma once

#include <bit>
#include <memory>
#include <string>
#include <type_traits>

#include "shoal/core/cuda_check.hpp"
#include "shoal/env/backend.hpp"
#include "shoal/env/cuda_simulator.hpp"

namespace shoal {

namespace cuda {

enum class Operation { reset, observe, step };

/// A kernel's only parameter.
template <class Env>
struct Arguments {
  Batch<Env> batch;
  StepInputs<Env> in;
  StepOutputs<Env> out;
  float* episode_rows;  // [instances, layout.episode_values()]
};

/// How instances are laid over blocks.
template <class Env, int Lanes>
struct Blocks {
  static constexpr bool whole = Lanes > 32;  // one instance a block
  static_assert(whole ? Lanes % 32 == 0 && Lanes <= 1024 : Lanes > 0 && std::has_single_bit(unsigned(Lanes)),
                "lanes: expected a power of two up to 32, or a multiple of 32 up to 1024");

  static constexpr std::size_t shared_bytes = 48 << 10;  // what a block gets without asking
  static constexpr std::size_t fitting = shared_bytes / sizeof(typename Env::Scratch);
  static_assert(fitting > 0, "Env::Scratch: expected at most 48 kB, a block's shared memory");
  static constexpr int wanted = whole ? 1 : 128 / Lanes;
  static constexpr int instances = int(std::bit_floor(fitting < std::size_t(wanted) ? fitting : std::size_t(wanted)));
  static constexpr int threads = instances * Lanes;
  static constexpr int half = 1024 / threads;  // of a processor's threads: each gets 64 registers
  static constexpr int per_processor = half < 32 ? half : 32;
};

template <int Lanes>
using Team = std::conditional_t<(Lanes > 32), BlockTeam, TileTeam<Lanes>>;

template <int Lanes>
__device__ Team<Lanes> make_team() {
  namespace cg = cooperative_groups;
  if constexpr (Lanes > 32)
    return {};
  else
    return {cg::tiled_partition<Lanes>(cg::this_thread_block())};
}

/// One tile's working memory, in the two members that step_instance expects.
template <class Env>
struct TileScratch {
  typename Env::Scratch& env;
  float* episode;
};

template <class Env, int Lanes, Operation operation>
__global__ void __launch_bounds__(Blocks<Env, Lanes>::threads, Blocks<Env, Lanes>::per_processor)
    run(Arguments<Env> const __grid_constant__ arguments) {
  constexpr int per_block = Blocks<Env, Lanes>::instances;
  __shared__ typename Env::Scratch memory[per_block];
  auto const slot = threadIdx.x / Lanes;
  auto const index = blockIdx.x * per_block + slot;
  auto const& batch = arguments.batch;
  if (index >= unsigned(batch.instances)) return;  // all of a team, so no lane waits for another
  auto const instance = int(index);
  auto const team = make_team<Lanes>();
  TileScratch<Env> const scratch{memory[slot],
                                 arguments.episode_rows + std::int64_t(instance) * batch.layout.episode_values()};
  if constexpr (operation == Operation::reset)
    reset_instance(team, batch, scratch, arguments.out, instance);
  else if constexpr (operation == Operation::observe)
    observe_instance(team, batch, arguments.out, instance);
  else
    step_instance(team, batch, scratch, arguments.in, arguments.out, instance);
  if constexpr (!MayDie<Env>) write_alive(team, batch, arguments.out, instance);
}

}  // namespace cuda

/// All work is asynchronous on the stream of set_stream(), at first the legacy default stream, LibTorch's default too.
/// The device that is current at construction must be current in every call. step(), reset(), observe() and
/// clear_metrics() allocate nothing and may be captured into a graph.
template <class Env, int Lanes = Env::lanes>
class CudaSimulator final : public Simulator {
  static_assert(Environment<Env, cuda::Team<Lanes>>);
  static_assert(std::is_trivially_default_constructible_v<typename Env::Scratch>,
                "Env::Scratch: no initialisers, it lies in shared memory");
  static_assert(sizeof(cuda::Arguments<Env>) <= 32764,
                "Env::Params: a kernel's parameters are limited to 32,764 bytes");

 public:
  /// `params` must be prepared: Env::prepare.
  CudaSimulator(typename Env::Params const& params, SimulatorOptions const& options)
      : Simulator(spec_of<Env>(params), checked(options)),
        memory_(own_spec(), options),
        episode_rows_(memory_.metric_sums.size()),
        batch_(memory_.batch(params, options)) {
    load<cuda::Operation::reset>();
    load<cuda::Operation::observe>();
    load<cuda::Operation::step>();
    SHOAL_CUDA_CHECK(cudaEventCreateWithFlags(&switched_, cudaEventDisableTiming));
    synchronize();  // zeros and supertypes are there for any stream
  }
  ~CudaSimulator() override { static_cast<void>(cudaEventDestroy(switched_)); }
  CudaSimulator(CudaSimulator const&) = delete;
  CudaSimulator& operator=(CudaSimulator const&) = delete;

  void reset(GroupSpan<StepOutput> out) override {
    check(out, false);
    launch<cuda::Operation::reset>({}, parts_of<Env>(out, own_spec()));
  }

  void observe(GroupSpan<StepOutput> out) override {
    check(out, false);
    launch<cuda::Operation::observe>({}, parts_of<Env>(out, own_spec()));
  }

  void step(GroupSpan<StepInput> in, GroupSpan<StepOutput> out) override {
    check(in);
    check(out, true);
    launch<cuda::Operation::step>(parts_of<Env>(in, own_spec()), parts_of<Env>(out, own_spec()));
  }

  View<float, 3> supertypes() override { return batch_.supertype_values; }
  EpisodeMetrics metrics() override { return {batch_.metric_sums, batch_.episodes}; }
  void clear_metrics() override {
    memory_.metric_sums.clear(stream_);
    memory_.episodes.clear(stream_);
  }

  /// Work on the new stream waits for work on the old one, which must still exist. Not while either is captured.
  void set_stream(void* stream) override {
    auto const next = static_cast<cudaStream_t>(stream);
    if (next == stream_) return;
    SHOAL_CUDA_CHECK(cudaEventRecord(switched_, stream_));
    SHOAL_CUDA_CHECK(cudaStreamWaitEvent(next, switched_, 0));
    stream_ = next;
  }

  void synchronize() override { SHOAL_CUDA_CHECK(cudaStreamSynchronize(stream_)); }

  std::size_t state_size() const override { return state_bytes<Env>(own_spec()).size; }

  void export_state(int instance, std::span<std::byte> bytes) override {
    check_state(instance, bytes.size());
    for_each_piece(batch_, own_spec(), instance, [&](std::size_t offset, void const* piece, std::size_t size) {
      SHOAL_CUDA_CHECK(cudaMemcpyAsync(bytes.data() + offset, piece, size, cudaMemcpyDeviceToHost, stream_));
    });
    synchronize();
  }

  void import_state(int instance, std::span<std::byte const> bytes) override {
    check_state(instance, bytes.size());
    for_each_piece(batch_, own_spec(), instance, [&](std::size_t offset, void* piece, std::size_t size) {
      SHOAL_CUDA_CHECK(cudaMemcpyAsync(piece, bytes.data() + offset, size, cudaMemcpyHostToDevice, stream_));
    });
    synchronize();
  }

 private:
  /// Runs before anything is allocated.
  static SimulatorOptions const& checked(SimulatorOptions const& options) {
    if (options.team != "serial")
      throw SettingError("team",
                         " = \"" + options.team + "\": expected \"serial\"; other teams are for device \"cpu\"");
    if (auto const why = cuda::no_device(); !why.empty())
      throw InputError("device = \"cuda\": no CUDA device found (" + why + "); expected \"cpu\"");
    return options;
  }

  /// Kernels are loaded at their first use, which must not fall into the capture of a graph.
  template <cuda::Operation operation>
  static void load() {
    cudaFuncAttributes attributes;
    SHOAL_CUDA_CHECK(cudaFuncGetAttributes(&attributes, cuda::run<Env, Lanes, operation>));
  }

  template <cuda::Operation operation>
  void launch(StepInputs<Env> const& in, StepOutputs<Env> const& out) {
    using Blocks = cuda::Blocks<Env, Lanes>;
    auto const blocks = (unsigned(batch_.instances) + Blocks::instances - 1) / Blocks::instances;
    cuda::run<Env, Lanes, operation><<<blocks, Blocks::threads, 0, stream_>>>({batch_, in, out, episode_rows_.data()});
    cuda::check(cudaGetLastError(), Env::name, __FILE__, __LINE__);
  }

  BatchMemory<Env, cuda::DeviceBuffer> memory_;
  cuda::DeviceBuffer<float> episode_rows_;
  Batch<Env> batch_;
  cudaEvent_t switched_ = nullptr;
  cudaStream_t stream_ = nullptr;
};

template <class Env>
std::unique_ptr<Simulator> make_cuda_simulator(typename Env::Params const& params, SimulatorOptions const& options) {
  if constexpr (requires { typename Env::Smaller; })
    if (Env::Smaller::fits(params)) return make_cuda_simulator<typename Env::Smaller>(params, options);
  return std::make_unique<CudaSimulator<Env>>(params, options);
}

}  // namespace shoal
