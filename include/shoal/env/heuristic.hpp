// An environment's own heuristic: how scripted agents fill their rows of a slot of a rollout. It is a function of
// observations alone, so that it needs no simulator.
#pragma once

#include <cstdint>
#include <memory>

#include "shoal/env/contract.hpp"
#include "shoal/env/simulator.hpp"

namespace shoal {

/// The agents of a group that act, and the slot that they act in. Arrays are contiguous and of the heuristic's device;
/// A = all_agents.
struct HeuristicArgs {
  Random random;               // seed and step; instance is the row's, episode *stage
  std::uint32_t const* stage;  // one value
  std::int64_t instances;
  int agents;                 // of an instance that act
  int all_agents;             // of the group in an instance
  int first_agent;            // the number in an instance of the group's agent 0
  std::int32_t const* which;  // [agents], numbers in the group of those that act; null: all
  float const* observations;  // [instances, A, width]
  int width;
  int type_at;                // the column where the type begins; -1: it is not observed
  std::uint8_t const* masks;  // [instances, A, total_choices]; null: all legal
  float* continuous;          // [instances, A, continuous_heads]
  std::int32_t* discrete;     // [instances, A, discrete_heads]
  int continuous_heads, discrete_heads, total_choices;
  int common;  // consecutive instances that share random numbers

  SHOAL_FN std::int64_t rows() const { return instances * agents; }
};

/// What agent i % agents of those that act does in instance i / agents.
template <class Env>
SHOAL_FN void heuristic_row(typename Env::Params const& params, HeuristicArgs const& args, std::int64_t i) {
  auto const instance = i / args.agents;
  int const member = int(i % args.agents), agent = args.which ? args.which[member] : member;
  auto const row = instance * args.all_agents + agent;
  auto const* const seen = args.observations + row * args.width;
  Random random = args.random;
  random.instance = std::uint32_t((args.random.instance + instance) / args.common);
  random.episode = *args.stage;
  int const number = args.first_agent + agent;
  Env::heuristic(params, number,
                 {seen, args.type_at < 0 ? nullptr : seen + args.type_at,
                  args.masks ? args.masks + row * args.total_choices : nullptr},
                 {args.continuous + row * args.continuous_heads, args.discrete + row * args.discrete_heads},
                 random.draw(Purpose::heuristic, std::uint32_t(number)));
}

/// Of one environment with its parameters, on one device.
class Heuristic {
 public:
  virtual ~Heuristic() = default;
  /// Rows [begin, end) of args.rows(). CPU: several threads may call it at once. CUDA: asynchronous on `stream`, a
  /// cudaStream_t.
  virtual void act(HeuristicArgs const& args, std::int64_t begin, std::int64_t end, void* stream) const = 0;
};

/// An environment's heuristic on the CPU.
template <class Env>
class CpuHeuristic final : public Heuristic {
 public:
  /// `params` must be prepared: Env::prepare.
  explicit CpuHeuristic(typename Env::Params const& params) : params_(params) {}

  void act(HeuristicArgs const& args, std::int64_t begin, std::int64_t end, void* /*stream*/) const override {
    for (auto i = begin; i < end; ++i) heuristic_row<Env>(params_, args, i);
  }

 private:
  typename Env::Params params_;
};

/// Defined by env/cuda_heuristic.cuh, in the unit of each environment. Null: it has none.
template <class Env>
std::unique_ptr<Heuristic> make_cuda_heuristic(typename Env::Params const& params);

/// @return null if the environment has none  @throws as make_simulator
std::unique_ptr<Heuristic> make_heuristic(std::string const& environment, Settings const& params, Device device);

}  // namespace shoal
