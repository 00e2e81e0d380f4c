// How the functions of Sim reach the simulator. For its source files alone.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <optional>

#include "src/python/sim.hpp"

namespace shoal::python {

/// The simulator, for arrays that lie in its memory. Not destroyed in a forked process, which lacks its threads.
struct Sim::Core {
  std::unique_ptr<Simulator> simulator;
  std::shared_ptr<Place> place;
  pid_t process = getpid();

  /// Whether a forked process cannot go on with it.
  bool is_lost() const {
    return simulator && process != getpid() && (place->on_cuda() || simulator->options().threads > 1);
  }
  Core() = default;
  Core(Core const&) = delete;
  Core& operator=(Core const&) = delete;
  ~Core() {
    if (is_lost()) {
      static_cast<void>(simulator.release());
      return;
    }
    try {
      cuda::DeviceGuard const guard(place->cuda_index);
      simulator.reset();
    } catch (Error const&) {  // CUDA is gone at the end of the process
    }
  }
};

/// For the time of one call: nobody else may use the simulator, and its device is current.
class Sim::Use {
 public:
  explicit Use(Sim& sim) : sim_(sim) {
    if (sim.in_use_.exchange(true))
      throw InputError(sim.name_ + ": used by another thread at this moment; expected one thread at a time");
    try {
      if (!sim.core_) throw InputError(sim.name_ + ": used after close()");
      if (sim.core_->is_lost())
        throw InputError(
            fmt::format("{}: made in process {}, used in one forked from it; expected a simulator made in "
                        "the process that uses it",
                        sim.name_, sim.core_->process));
      guard_.emplace(sim.place_->cuda_index);
    } catch (...) {
      sim.in_use_ = false;
      throw;
    }
  }
  ~Use() { sim_.in_use_ = false; }
  Use(Use const&) = delete;
  Use& operator=(Use const&) = delete;

  Simulator& operator*() const { return *sim_.core_->simulator; }
  Simulator* operator->() const { return sim_.core_->simulator.get(); }

 private:
  Sim& sim_;
  std::optional<cuda::DeviceGuard> guard_;
};

}  // namespace shoal::python
