// The CPU threads of the learners' kernels, and of the simulator of a Trainer: one pool for each host thread that calls,
// of as many threads as at::get_num_threads() says there. at::parallel_for is serial in code compiled without OpenMP,
// and a second OpenMP runtime beside LibTorch's would fight it for the cores.
#pragma once

#include <cstdint>

namespace shoal {

namespace detail {
void parallel_for(std::int64_t n, std::int64_t grain,
                  void (*call)(void const* context, int thread, std::int64_t begin, std::int64_t end),
                  void const* context);
}

/// Calls f(thread, begin, end) for contiguous shares of [0, n), each of at least `grain`; returns when all are done. Two
/// calls at once differ in `thread`, which counts from 0. f must neither throw nor call parallel_for.
template <class F>
void parallel_for(std::int64_t n, std::int64_t grain, F const& f) {
  auto const call = [](void const* context, int thread, std::int64_t begin, std::int64_t end) {
    (*static_cast<F const*>(context))(thread, begin, end);
  };
  detail::parallel_for(n, grain, call, &f);
}

/// LibTorch's number of threads for as long as it lives.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(ThreadScope const&) = delete;

 private:
  int before_;
};

}  // namespace shoal
