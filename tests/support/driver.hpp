// Drives a simulator with random legal actions and hashes what every instance shows; for tests of any environment.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "shoal/core/hash.hpp"
#include "shoal/core/random.hpp"
#include "shoal/env/contract.hpp"
#include "shoal/env/simulator.hpp"
#include "src/env/some_actions.hpp"
#include "support/variants.hpp"

namespace shoal {

/// A simulator of one group, to which others are padded, the memory that it reads and writes, and a hash for each of
/// the first instances.
class Driver {
 public:
  Driver(std::string const& environment, Settings const& params, SimulatorOptions options, int hashed = 1 << 30)
      : Driver(make_simulator(environment, params, with_one_group(options)), hashed) {}
  explicit Driver(std::unique_ptr<Simulator> simulator, int hashed = 1 << 30)
      : simulator_(std::move(simulator)), instances(simulator_->options().instances), agents(spec().agents()) {
    auto const n = std::size_t(instances) * std::size_t(agents);
    auto const width = simulator_->observation_width(), choices = group().choices();
    int const reals = int(group().continuous.size()), picks = int(group().discrete.size());
    continuous_.resize(n * group().continuous.size());
    discrete_.resize(n * group().discrete.size());
    observations_.assign(n * std::size_t(width), garbage);
    final_observations_.assign(n * std::size_t(width), garbage);
    masks_.assign(n * std::size_t(choices), 77);
    alive_.assign(n, 77);
    rewards_.assign(n, garbage);
    ended_.assign(n, 77);
    if (reals) in.continuous = view<float const>(continuous_.data(), instances, agents, reals);
    if (picks) in.discrete = view<std::int32_t const>(discrete_.data(), instances, agents, picks);
    out.observations = view(observations_.data(), instances, agents, width);
    out.final_observations = view(final_observations_.data(), instances, agents, width);
    if (picks) out.masks = view(masks_.data(), instances, agents, choices);
    out.alive = view(alive_.data(), instances, agents);
    out.rewards = view(rewards_.data(), instances, agents);
    out.ended = view(ended_.data(), instances, agents);
    hashes_.resize(std::size_t(std::min(instances, hashed)));
  }

  Simulator& operator*() const { return *simulator_; }
  Simulator* operator->() const { return simulator_.get(); }
  Spec const& spec() const { return simulator_->spec(); }
  Group const& group() const { return spec().groups[0]; }

  void reset() {
    simulator_->reset(out);
    for (std::size_t i = 0; i < hashes_.size(); ++i) hash_observations(int(i));
  }

  /// One step with random actions, those of time `time`, which are the same for an instance in every driver.
  void step() {
    draw_actions();
    simulator_->step(in, out);
    ++time;
    for (std::size_t i = 0; i < hashes_.size(); ++i) hash_step(int(i));
  }
  void steps(int count) {
    for (int t = 0; t < count; ++t) step();
  }

  /// Legal actions, many of them equal, so that ties occur.
  void draw_actions() {
    for (int i = 0; i < instances; ++i)
      for (int a = 0; a < agents; ++a) {
        auto const random = [&](std::size_t head) {
          return Random{99, (*this)->options().first_instance + std::uint32_t(i), std::uint32_t(a), std::uint32_t(time)}
              .draw(Purpose::test, std::uint32_t(head));
        };
        for (std::size_t h = 0; h < group().continuous.size(); ++h)
          continuous(i, a, h) = some_real(group().continuous[h], random(h));
        int offset = 0;
        for (std::size_t h = 0; h < group().discrete.size(); ++h) {
          int const choices = group().discrete[h].choices;
          auto const* const legal = &out.masks(i, a, offset);
          ASSERT_NE(std::count(legal, legal + choices, 0), choices);
          discrete(i, a, h) = some_choice(legal, choices, random(64 + h));
          offset += choices;
        }
      }
  }

  float& continuous(int i, int a, std::size_t head) {
    return continuous_[(std::size_t(i) * std::size_t(agents) + std::size_t(a)) * group().continuous.size() + head];
  }
  std::int32_t& discrete(int i, int a, std::size_t head) {
    return discrete_[(std::size_t(i) * std::size_t(agents) + std::size_t(a)) * group().discrete.size() + head];
  }

  /// Whether the last step ended the instance's episode; a death alone does not.
  bool ended(int i) const {
    bool all = true;
    for (int a = 0; a < agents; ++a) all &= out.ended(i, a) != 0;
    return all;
  }

  std::vector<float> observation(int i) const { return row(out.observations, i); }
  std::vector<float> final_observation(int i) const { return row(out.final_observations, i); }

  std::vector<std::uint64_t> hashes() const {
    std::vector<std::uint64_t> values;
    for (auto const& hash : hashes_) values.push_back(hash.value());
    return values;
  }

  static constexpr float garbage = -12345;

 private:
  static SimulatorOptions with_one_group(SimulatorOptions options) {
    options.observation.pad_groups = true;
    return options;
  }

  std::unique_ptr<Simulator> simulator_;
  std::vector<float> continuous_, observations_, final_observations_, rewards_;
  std::vector<std::int32_t> discrete_;
  std::vector<std::uint8_t> masks_, alive_, ended_;
  std::vector<TrajectoryHash> hashes_;

  std::vector<float> row(View<float, 3> const& v, int i) const {
    std::vector<float> values;
    for (int a = 0; a < agents; ++a)
      for (int k = 0; k < v.extents[2]; ++k) values.push_back(v(i, a, k));
    return values;
  }
  void hash_observations(int i) {
    auto& hash = hashes_[std::size_t(i)];
    for (float const x : observation(i)) hash.add(x);
    if (out.masks.data)
      for (int a = 0; a < agents; ++a)
        for (int c = 0; c < group().choices(); ++c) hash.add(std::uint32_t(out.masks(i, a, c)));
    for (int a = 0; a < agents; ++a)
      if (!out.alive(i, a)) hash.add(std::uint32_t(a));  // by number: hashes without deaths stay as they were
  }
  void hash_step(int i) {
    auto& hash = hashes_[std::size_t(i)];
    for (int a = 0; a < agents; ++a) {
      hash.add(out.rewards(i, a));
      hash.add(std::uint32_t(out.ended(i, a)));
    }
    if (ended(i))
      for (float const x : final_observation(i)) hash.add(x);
    hash_observations(i);
  }

 public:
  int instances, agents;
  int time = 0;
  StepInput in;
  StepOutput out;
};

}  // namespace shoal
