// One measurement of `shoal bench`: an environment at one size, and how fast a part of a stage goes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shoal/train/trainer.hpp"

namespace shoal {

/// What a stage holds: the environment under random actions; with the policies that act in it; with their update too.
enum class BenchMode { step, rollout, train };

char const* name_of(BenchMode mode);

/// Seconds of one stage, each phase waited for. `actions` is the drawing of random actions.
struct Phases {
  double environment = 0, actions = 0, inference = 0, update = 0;
};

struct BenchResult {
  std::string environment;
  BenchMode mode;
  int instances, agents, threads, horizon;  // horizon: steps of a stage
  std::string network, update;              // for people: "64-64 tanh", "4 epochs of 8 minibatches"
  int observation_bytes;                    // of an agent
  std::size_t state_bytes;                  // of an instance
  std::size_t bytes_per_instance;           // of the state and all else that the simulator keeps between steps
  double rollout_bytes_per_agent_step;      // of the learners' memory
  std::vector<double> rates;                // agent steps per second, one a repetition, ascending
  Phases phases;
  double cpus;       // CPU seconds of the process a second, all threads
  double own_share;  // of a second, that the calling thread ran: less than 1 where others want the CPU, or on CUDA
  std::optional<double> memory_share;  // CUDA, step: bytes a second over the bandwidth of a copy
  bool best = false;                   // of a sweep over instances

  double median() const;
};

struct BenchTiming {
  double seconds;  // of a repetition, at least one stage
  int repetitions;
};

/// Measures once warm. @param config  of one case: instances, steps, threads are what counts
/// @return fewer repetitions after an interrupt, perhaps none
BenchResult measure(TrainerConfig const& config, BenchMode mode, BenchTiming const& timing);

/// Bytes of a device's memory that a copy reads and writes in a second. CUDA only.
double copy_bandwidth(at::Device device);

}  // namespace shoal
