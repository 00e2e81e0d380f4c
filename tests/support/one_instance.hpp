// One instance of an environment, driven directly: for tests of its rules that look into or set its State.
#pragma once

#include <cstdint>
#include <vector>

#include "shoal/env/contract.hpp"

namespace shoal {

template <class Env>
struct OneInstance {
  typename Env::Params params;
  Spec spec;
  typename Env::State state{};
  typename Env::Scratch scratch{};
  std::vector<float> supertypes, continuous, rewards, own, type, metrics;
  std::vector<std::int32_t> discrete;
  std::vector<std::uint8_t> masks;
  Random random;

  explicit OneInstance(typename Env::Params p = {}, std::uint32_t seed = 1) : params(p) {
    Env::prepare(params);
    spec = spec_of<Env>(params);
    random.seed = seed;
    auto const n = std::size_t(spec.agents());
    auto const stride = std::size_t(spec.coordinates());
    supertypes.resize(spec.supertypes.size() * stride);
    for (std::size_t s = 0; s < spec.supertypes.size(); ++s)
      for (std::size_t c = 0; c < spec.supertypes[s].coordinates.size(); ++c)
        supertypes[s * stride + c] = spec.supertypes[s].coordinates[c].initial;
    continuous.resize(n * spec.groups[0].continuous.size());
    discrete.resize(n * spec.groups[0].discrete.size());
    rewards.resize(n);
    own.resize(n * std::size_t(spec.groups[0].observation));
    type.resize(n * std::size_t(spec.groups[0].type));
    masks.resize(n * std::size_t(spec.groups[0].choices()));
    metrics.resize(spec.metrics.size());
  }

  /// Begins the next episode.
  void reset() {
    ++random.episode;
    random.step = 0;
    Env::reset(SerialTeam{}, params, state, scratch,
               view<float const>(supertypes.data(), int(spec.supertypes.size()), spec.coordinates()), random);
  }

  Ended step() {
    auto const n = spec.agents();
    Actions const actions{view<float const>(continuous.data(), n, int(spec.groups[0].continuous.size())),
                          view<std::int32_t const>(discrete.data(), n, int(spec.groups[0].discrete.size()))};
    rewards.assign(rewards.size(), 0);
    auto const ended = Env::step(SerialTeam{}, params, state, scratch, actions, view(rewards.data(), n), random);
    ++random.step;
    return ended;
  }

  void observe() {
    auto const n = spec.agents();
    own.assign(own.size(), 0);
    type.assign(type.size(), 0);
    masks.assign(masks.size(), 1);
    Env::observe(SerialTeam{}, params, state,
                 {view(own.data(), n, spec.groups[0].observation), view(type.data(), n, spec.groups[0].type),
                  view(masks.data(), n, spec.groups[0].choices())});
  }

  /// The metric called `name`, of the episode so far.
  float metric(std::string const& name) {
    Env::metrics(SerialTeam{}, params, state, scratch, view(metrics.data(), int(metrics.size())));
    for (std::size_t k = 0; k < metrics.size(); ++k)
      if (spec.metrics[k] == name) return metrics[k];
    throw Error("no metric " + name);
  }
};

}  // namespace shoal
