// Counts what this program takes from the heap, through whatever library: malloc and its like are defined here, before
// the C library's. To be included once in a program.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>

namespace shoal::test {

/// What is taken while it lives, on any thread. One at a time.
class HeapCount {
 public:
  /// False: a sanitizer has the heap, or this C library is not known, and nothing is counted.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
  static constexpr bool works = true;
#else
  static constexpr bool works = false;
#endif

  HeapCount() {
    blocks_ = bytes_ = 0;
    counting_ = true;
  }
  ~HeapCount() { counting_ = false; }
  HeapCount(HeapCount const&) = delete;
  HeapCount& operator=(HeapCount const&) = delete;

  long blocks() const { return blocks_; }
  long bytes() const { return bytes_; }

  static void taken(std::size_t bytes) {
    if (!counting_.load(std::memory_order_relaxed)) return;
    blocks_.fetch_add(1, std::memory_order_relaxed);
    bytes_.fetch_add(long(bytes), std::memory_order_relaxed);
  }

 private:
  static inline std::atomic<bool> counting_ = false;
  static inline std::atomic<long> blocks_ = 0, bytes_ = 0;
};

}  // namespace shoal::test

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t bytes) noexcept {
  shoal::test::HeapCount::taken(bytes);
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) noexcept {
  shoal::test::HeapCount::taken(count * bytes);
  return __libc_calloc(count, bytes);
}
void* realloc(void* old, std::size_t bytes) noexcept {
  shoal::test::HeapCount::taken(bytes);
  return __libc_realloc(old, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  shoal::test::HeapCount::taken(bytes);
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** to, std::size_t alignment, std::size_t bytes) noexcept {
  shoal::test::HeapCount::taken(bytes);
  *to = __libc_memalign(alignment, bytes);
  return *to ? 0 : ENOMEM;
}
}
#endif
