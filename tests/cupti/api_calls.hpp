// Counts the calls that this process makes of CUDA's runtime and driver, by name, while it lives.
#pragma once

#include <cupti.h>

#include <cctype>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/error.hpp"

namespace shoal::test {

/// Without the version and the kind of default stream: cudaMemcpyAsync_v3020_ptsz is cudaMemcpyAsync.
inline std::string plain_name(std::string_view name) {
  if (name.ends_with("_ptsz") || name.ends_with("_ptds")) name.remove_suffix(5);
  auto const at = name.rfind("_v");
  if (at != name.npos && name.find_first_not_of("0123456789", at + 2) == name.npos) name = name.substr(0, at);
  return std::string(name);
}

class ApiCalls {
 public:
  ApiCalls() {
    check(cuptiSubscribe(&subscriber_, &ApiCalls::called, this), "cuptiSubscribe");
    check(cuptiEnableDomain(1, subscriber_, CUPTI_CB_DOMAIN_RUNTIME_API), "cuptiEnableDomain");
    check(cuptiEnableDomain(1, subscriber_, CUPTI_CB_DOMAIN_DRIVER_API), "cuptiEnableDomain");
  }
  ~ApiCalls() { static_cast<void>(cuptiUnsubscribe(subscriber_)); }
  ApiCalls(ApiCalls const&) = delete;
  ApiCalls& operator=(ApiCalls const&) = delete;

  /// Forgets what was counted.
  void clear() {
    std::lock_guard const lock(mutex_);
    counts_.clear();
  }
  /// Calls whose names begin with `prefix` and have `part` in the rest. "cuda" and "cu" are apart: the runtime calls
  /// the driver.
  int count(std::string const& prefix, std::string const& part) const {
    std::lock_guard const lock(mutex_);
    int total = 0;
    for (auto const& [name, count] : counts_)
      if (begins(name, prefix) && name.find(part, prefix.size()) != name.npos) total += count;
    return total;
  }
  std::string text() const {
    std::lock_guard const lock(mutex_);
    std::string all;
    for (auto const& [name, count] : counts_) all += name + " " + std::to_string(count) + "\n";
    return all;
  }

 private:
  static bool begins(std::string const& name, std::string const& prefix) {
    return name.starts_with(prefix) && name.size() > prefix.size() && std::isupper(name[prefix.size()]);
  }
  static void check(CUptiResult result, char const* call) {
    if (result == CUPTI_SUCCESS) return;
    char const* text = nullptr;
    cuptiGetResultString(result, &text);
    throw Error(std::string(call) + ": " + (text ? text : "unknown error"));
  }
  static void CUPTIAPI called(void* self, CUpti_CallbackDomain, CUpti_CallbackId, void const* data) {
    auto const& call = *static_cast<CUpti_CallbackData const*>(data);
    if (call.callbackSite != CUPTI_API_ENTER) return;
    auto& calls = *static_cast<ApiCalls*>(self);
    std::lock_guard const lock(calls.mutex_);
    ++calls.counts_[plain_name(call.functionName)];
  }

  CUpti_SubscriberHandle subscriber_ = nullptr;
  mutable std::mutex mutex_;
  std::map<std::string, int> counts_;
};

}  // namespace shoal::test
