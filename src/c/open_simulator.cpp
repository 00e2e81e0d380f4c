#include "c/open_simulator.hpp"

#include <pthread.h>

#include <atomic>
#include <mutex>

#include "c/call.hpp"

namespace shoal::c {

namespace {

// A handle is generation << index_bits | index. The generation of a place grows by one when a simulator is put there
// and when it is closed: it is odd while one is open.
constexpr int index_bits = 16;
constexpr std::uint64_t places = 1 << index_bits;
static_assert(sizeof(void*) == sizeof(std::uint64_t));

/// A cache line each: simulators of different threads do not share one.
struct alignas(64) Place {
  std::atomic<std::uint64_t> word{0};  // generation << 1 | in use
  OpenSimulator* simulator = nullptr;
};
constinit Place table[places];  // 4 MB of zeros that take no memory before they are used

std::uint64_t index_of(std::uint64_t handle) { return handle & (places - 1); }
std::uint64_t generation_of(std::uint64_t handle) { return handle >> index_bits; }

struct FreePlaces {
  std::mutex mutex;
  std::vector<std::uint64_t> closed;
  std::uint64_t used = 0;
};
FreePlaces& free_places() {
  static auto& all = *new FreePlaces;  // never destroyed: other threads may close simulators while the process ends
  return all;
}

std::atomic<unsigned> forks{0};

}  // namespace

unsigned forks_so_far() {
  static int const failed = pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
  if (failed) throw StatusError(SHOAL_NO_MEMORY, "not enough memory");
  return forks.load(std::memory_order_relaxed);
}

shoal_simulator* open_handle(std::unique_ptr<OpenSimulator> simulator) {
  auto& free = free_places();
  std::lock_guard const lock(free.mutex);
  std::uint64_t index = free.used;
  if (!free.closed.empty()) {
    index = free.closed.back();
    free.closed.pop_back();
  } else if (free.used++ == places - 1) {
    --free.used;
    throw StatusError(SHOAL_FAILED, fmt::format("{} simulators are open, as many as can be", places - 1));
  } else {
    free.closed.reserve(free.used);  // so that closing needs no memory
  }
  auto& place = table[index];
  auto const generation = (place.word.load(std::memory_order_relaxed) >> 1) + 1;
  place.simulator = simulator.release();
  place.word.store(generation << 1, std::memory_order_release);
  return reinterpret_cast<shoal_simulator*>(generation << index_bits | index);
}

Use::Use(shoal_simulator* handle) : handle_(reinterpret_cast<std::uint64_t>(handle)) {
  if (!handle) throw StatusError(SHOAL_CLOSED, "simulator is null");
  auto& place = table[index_of(handle_)];
  auto const open = generation_of(handle_) << 1;
  auto word = open;
  if (generation_of(handle_) % 2 == 0 ||
      (!place.word.compare_exchange_strong(word, open | 1, std::memory_order_acquire, std::memory_order_relaxed) &&
       word != (open | 1)))
    throw StatusError(SHOAL_CLOSED, "the simulator is closed, or this is no handle of one");
  if (word != open) throw StatusError(SHOAL_BUSY, "another thread is in a call on this simulator");
  simulator_ = place.simulator;
  try {
    // Threads do not outlive a fork, nor does what CUDA keeps.
    bool const forks_well =
        simulator_->simulator->options().device == Device::cpu && simulator_->simulator->options().threads == 1;
    if (!forks_well && simulator_->forks != forks.load(std::memory_order_relaxed))
      throw StatusError(SHOAL_CLOSED,
                        "the simulator has threads or CUDA memory of the process that this one was forked "
                        "from; expected one made after fork()");
    on_device_.enter(simulator_->cuda_device);
  } catch (...) {
    place.word.store(open, std::memory_order_release);
    throw;
  }
}

Use::~Use() {
  if (simulator_) table[index_of(handle_)].word.store(generation_of(handle_) << 1, std::memory_order_release);
}

std::unique_ptr<OpenSimulator> Use::take() {
  auto& free = free_places();
  std::lock_guard const lock(free.mutex);
  auto& place = table[index_of(handle_)];
  place.simulator = nullptr;
  place.word.store((generation_of(handle_) + 1) << 1, std::memory_order_release);
  free.closed.push_back(index_of(handle_));
  return std::unique_ptr<OpenSimulator>(std::exchange(simulator_, nullptr));
}

}  // namespace shoal::c
