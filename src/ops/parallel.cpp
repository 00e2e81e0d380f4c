#include "shoal/ops/parallel.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <bit>
#include <memory>

#include "shoal/core/thread_pool.hpp"

namespace shoal::detail {

void parallel_for(std::int64_t n, std::int64_t grain, void (*call)(void const*, int, std::int64_t, std::int64_t),
                  void const* context) {
  thread_local std::unique_ptr<ThreadPool> pool;
  int const threads = at::get_num_threads();
  auto const shares = int(std::min<std::int64_t>(threads, n / std::max<std::int64_t>(grain, 1)));
  if (shares < 2) return call(context, 0, 0, n);
  if (!pool || pool->threads() != threads) pool = std::make_unique<ThreadPool>(threads);
  auto const kind = reinterpret_cast<std::uintptr_t>(call) / 16 + std::uint64_t(std::bit_width(std::uint64_t(n)));
  pool->run(
      shares, [&](int thread, int begin, int end) { call(context, thread, n * begin / shares, n * end / shares); },
      kind);
}

}  // namespace shoal::detail

namespace shoal {

ThreadScope::ThreadScope(int threads) : before_(at::get_num_threads()) {
  if (threads != before_) at::set_num_threads(threads);
}

ThreadScope::~ThreadScope() {
  if (at::get_num_threads() != before_) at::set_num_threads(before_);
}

}  // namespace shoal
