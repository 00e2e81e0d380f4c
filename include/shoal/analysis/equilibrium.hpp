// Is a frozen policy pi* an epsilon-shared equilibrium (Vadori et al., 2020, definition 1)? Deviations pi are trained
// against it: in each episode one agent, drawn at random, acts with pi and alone trains it, while all others act with
// pi*. What the best of them gains over pi* on the same random numbers tells epsilon; a stronger deviation may exist.
// docs/equilibrium.md
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "shoal/analysis/frozen_game.hpp"
#include "shoal/data/estimate.hpp"

namespace shoal {

/// How long deviations are trained, and how well they are measured.
struct EquilibriumOptions {
  int instances = 256;     // of a deviation's training
  int updates = 100;       // of a deviation's training; 0: none
  int steps = 0;           // of an update's rollout; 0: the environment's longest episode
  int evaluations = 4096;  // episodes behind every value, at least 2
  std::uint32_t seed = 0;
};

/// One deviation pi of some deviators. Values are discounted returns of an episode.
struct Deviation {
  std::string start;      // "pi*", "scratch 1", "scratch 2", or "do nothing"
  Estimate value;         // Vhat(pi, pi*)
  Estimate regret;        // Vhat(pi, pi*) - Vhat(pi*, pi*), of paired episodes
  double normalised = 0;  // mean regret / scale of the deviators
};

/// Agents that act with one network; in each episode one of them, drawn uniformly, deviates.
struct Deviators {
  std::string name;  // "all agents", a supertype's name, or "agent 3"
  std::size_t policy;
  std::vector<int> agents;
};

/// What some deviators can gain.
struct DeviatorsReport {
  Deviators who;
  Estimate value;    // Vhat(pi*, pi*)
  double scale = 0;  // max(|Vhat(pi*, pi*)|, 1e-3)
  std::vector<Deviation> deviations;

  /// The deviation of the largest mean regret.
  Deviation const& best() const;
  /// The upper bound of the best deviation's regret; at least 0, the regret of pi* itself.
  double epsilon() const;
  /// The largest lower bound of a regret: so much can be gained at least.
  double proven() const;
};

/// The answer of a check.
struct EquilibriumReport {
  bool shared = false;  // one network for all agents
  std::vector<DeviatorsReport>
      deviators;  // shared: all agents first, then each supertype; else the groups that share a network
};

/// Who may deviate from policies with these agents: the agents of each policy, and of those the agents of each
/// supertype.
std::vector<Deviators> all_deviators(std::vector<Actor const*> const& policies, Spec const& spec);

/// The best of some policies from scratch against one of the game's.
struct Challenge {
  Estimate regret;        // as of a Deviation, of all agents that the policy acts for
  at::Tensor parameters;  // of the best challenger
  bool wins() const { return regret.low > 0; }
};

/// Trains deviations from scratch for the agents of one policy: whether they earn more with the best for sure says that
/// the policy is in a local optimum, or not at an equilibrium at all. The best is chosen and measured on the same
/// episodes.
/// @param challengers  how many, at least 1: each may end in a local optimum itself
/// @throws Error if a training diverges
Challenge challenge(FrozenGame const& game, std::size_t policy, int challengers, EquilibriumOptions const& options);

/// How far a check is, in [0, 1], and what it is doing. Returning false ends the check.
using EquilibriumProgress = std::function<bool(double done, std::string const& what)>;

/// For all deviators: a deviation trained from pi*, two from scratch, and where Spec::may_abstain doing nothing. The
/// same result for the same arguments, on the CPU with any number of threads.
/// @return nothing if `progress` ended the check
/// @throws Error naming the deviation if its training diverges
std::optional<EquilibriumReport> check_equilibrium(FrozenGame const& game, EquilibriumOptions const& options,
                                                   EquilibriumProgress const& progress);

}  // namespace shoal
