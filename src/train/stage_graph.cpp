#include "src/train/stage_graph.hpp"

#include <optional>

#ifdef SHOAL_HAS_CUDA
#include <ATen/cuda/CUDAGeneratorImpl.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#endif

namespace shoal {

#ifdef SHOAL_HAS_CUDA

namespace {

/// Where the work throws, the capture ends too: else whatever frees memory on the way out fails, and hides the reason.
void record(at::cuda::CUDAGraph& graph, std::function<void()> const& work) {
  graph.capture_begin();
  try {
    work();
  } catch (...) {
    try {
      graph.capture_end();
    } catch (std::exception const&) {  // a capture that went wrong has no graph
    }
    throw;
  }
  graph.capture_end();
}

}  // namespace

struct StageGraph::Device {
  // Libraries make their handles and workspaces in the first call, LibTorch's engine its threads; the second proves
  // that it can run again.
  static constexpr int warm_up = 2;

  c10::cuda::CUDAStream stream;
  bool capture;
  int calls = 0;
  at::cuda::CUDAGraph graph = {};
};

struct StageGraph::Scope::Guard {
  c10::cuda::CUDAStreamGuard guard;
};

StageGraph::StageGraph(at::Device device, bool capture, int threads) : threads_(threads) {
  if (!device.is_cuda()) return;
  auto const stream = c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index());
  device_ = std::make_unique<Device>(Device{.stream = stream, .capture = capture});
}

StageGraph::Scope StageGraph::scope() const {
  if (!device_) return Scope(threads_, nullptr);
  return Scope(threads_, std::unique_ptr<Scope::Guard>(new Scope::Guard{c10::cuda::CUDAStreamGuard(device_->stream)}));
}

std::unique_ptr<StageGraph> StageGraph::beside() const {
  auto other = std::make_unique<StageGraph>(at::kCPU, false, threads_);
  if (device_)
    other->device_ = std::make_unique<Device>(Device{.stream = device_->stream, .capture = device_->capture});
  return other;
}

void* StageGraph::stream() const { return device_ ? static_cast<void*>(device_->stream.stream()) : nullptr; }

void StageGraph::run(std::function<void()> const& work) {
  if (!device_ || !device_->capture || device_->calls < Device::warm_up) {
    work();
    if (device_) ++device_->calls;
    return;
  }
  if (device_->calls++ == Device::warm_up) {
    device_->stream.synchronize();
    record(device_->graph, work);
  }
  device_->graph.replay();
}

#else

struct StageGraph::Device {};
struct StageGraph::Scope::Guard {};

StageGraph::StageGraph(at::Device, bool, int threads) : threads_(threads) {}
StageGraph::Scope StageGraph::scope() const { return Scope(threads_, nullptr); }
std::unique_ptr<StageGraph> StageGraph::beside() const {
  return std::make_unique<StageGraph>(at::kCPU, false, threads_);
}
void* StageGraph::stream() const { return nullptr; }
void StageGraph::run(std::function<void()> const& work) { work(); }

#endif

StageGraph::Scope::Scope(int threads, std::unique_ptr<Guard> guard)
    : threads_(std::make_unique<ThreadScope>(threads)), guard_(std::move(guard)) {}
StageGraph::Scope::~Scope() = default;
StageGraph::StageGraph(StageGraph&&) noexcept = default;
StageGraph::~StageGraph() = default;

}  // namespace shoal
