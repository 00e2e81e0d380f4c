// What a handle of the C interface stands for, and the table of handles.
//
// A handle is a number: an index into the table, and how often that place was used. So a closed handle is told from an
// open one without reading freed memory, and one atomic operation finds out that it is open and takes it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "c/device.hpp"
#include "shoal.h"
#include "shoal/env/simulator.hpp"

namespace shoal::c {

struct OpenSimulator {
  std::shared_ptr<Simulator> simulator;  // shared with exported arrays
  std::uint64_t fingerprint = 0;         // of environment, parameters and version, in exported states
  std::vector<StepInput> inputs;         // of each group; no memory: neither attached nor asked for
  std::vector<StepOutput> outputs;
  std::map<std::pair<int, int>, std::shared_ptr<void>> own_arrays;  // by array and group
  bool was_reset = false;
  int cuda_device = no_cuda_device;  // that all calls need as the current one
  unsigned forks = 0;                // of this process when the simulator was made, times that it was forked off
};

/// @throws StatusError if there are too many
shoal_simulator* open_handle(std::unique_ptr<OpenSimulator> simulator);

/// How many forks lie between this process and the one that loaded the library.
unsigned forks_so_far();

/// The simulator of a handle for the length of one call; its CUDA device is current meanwhile.
class Use {
 public:
  /// @throws StatusError for a handle that is null, closed, in use, or of a parent process
  explicit Use(shoal_simulator* handle);
  ~Use();
  Use(Use const&) = delete;
  Use& operator=(Use const&) = delete;

  OpenSimulator& operator*() const { return *simulator_; }
  OpenSimulator* operator->() const { return simulator_; }

  /// Closes the handle.
  std::unique_ptr<OpenSimulator> take();

 private:
  std::uint64_t handle_;
  OpenSimulator* simulator_ = nullptr;
  OnDevice on_device_;
};

}  // namespace shoal::c
