// Drives a simulator with random legal actions and hashes what every instance shows; for tests of any environment.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "shoal/core/hash.hpp"
#include "shoal/core/random.hpp"
#include "shoal/env/contract.hpp"
#include "shoal/env/simulator.hpp"

namespace shoal {

/// An environment with settings that are worth a test.
struct Variant {
  std::string name, environment;
  Settings params;
  friend void PrintTo(Variant const& v, std::ostream* out) { *out << v.name; }
};

/// Settings, beside the defaults, under which the tests of every environment run too. Short episodes, so that resets happen.
inline std::vector<Variant> all_extra_variants() {
  using Reals = std::vector<double>;
  auto const whole = [](int x) { return std::int64_t(x); };
  auto const text = [](char const* x) { return std::string(x); };
  return {
      {"two_merchants", "market", {{"merchants", whole(2)}, {"steps", whole(5)}}},
      {"discrete",
       "market",
       {{"merchants", whole(16)},
        {"steps", whole(4)},
        {"actions", text("discrete")},
        {"arrival", 0.3},
        {"penalty", text("downside")},
        {"type_uses_probabilities", true}}},
      {"supertypes",
       "market",
       {{"merchants", whole(6)},
        {"steps", whole(4)},
        {"supertype_of", Reals{3, 1, 2, 2, 4, 1}},
        {"tolerance_variance_2", 0.0625}}},
      {"three_players",
       "matrix_game",
       {{"actions", Reals{2, 3, 1}},
        {"payoffs", Reals{1, 2, 3, 4, 5, 6, 7, 8, 9, -1, -2, -3, -4, -5, -6, -7, -8, -9}},
        {"memory", whole(2)},
        {"rounds", whole(6)},
        {"continuation", 0.8},
        {"group_1", whole(2)},
        {"altruism_sd_1", 0.5},
        {"altruism_2", -0.25}}},
      {"no_memory", "matrix_game", {{"memory", whole(0)}, {"rounds", whole(3)}}},
      {"crowded",
       "pursuit",
       {{"x_size", whole(5)}, {"y_size", whole(7)}, {"n_evaders", whole(2)}, {"max_cycles", whole(6)}}},
      {"pairs",
       "pursuit",
       {{"n_pursuers", whole(12)},
        {"n_evaders", whole(10)},
        {"obs_range", whole(5)},
        {"surround", false},
        {"shared_reward", false},
        {"constraint_window", 0.6},
        {"max_cycles", whole(5)}}},
      {"paper",
       "pursuit",
       {{"profile", text("paper")}, {"stale", false}, {"x_size", whole(8)}, {"max_cycles", whole(7)}}},
      {"old", "checkers", {{"profile", text("old")}, {"max_steps", whole(9)}}},
      {"full", "checkers", {{"full", true}, {"clock", true}, {"max_steps", whole(9)}}},
      {"old", "switch", {{"profile", text("old")}, {"n_agents", whole(3)}, {"max_steps", whole(9)}}},
      {"full", "switch", {{"n_agents", whole(4)}, {"full", true}, {"clock", true}, {"max_steps", whole(9)}}},
  };
}

inline std::vector<Variant> extra_variants(std::string const& environment) {
  auto variants = all_extra_variants();
  std::erase_if(variants, [&](Variant const& v) { return v.environment != environment; });
  return variants;
}

/// Every environment with its defaults, each followed by its extra variants.
inline std::vector<Variant> all_variants() {
  std::vector<Variant> all;
  for (auto const& info : environments()) {
    all.push_back({info.name, info.name, {}});
    for (auto const& v : extra_variants(info.name)) all.push_back({info.name + "_" + v.name, info.name, v.params});
  }
  return all;
}

/// A simulator, the memory that it reads and writes, and a hash for each of the first instances.
class Driver {
 public:
  Driver(std::string const& environment, Settings const& params, SimulatorOptions const& options, int hashed = 1 << 30)
      : simulator_(make_simulator(environment, params, options)), instances(options.instances), agents(spec().agents) {
    auto const n = std::size_t(instances) * std::size_t(agents);
    auto const width = simulator_->observation_width(), choices = spec().choices();
    int const reals = int(spec().continuous.size()), picks = int(spec().discrete.size());
    continuous_.resize(n * spec().continuous.size());
    discrete_.resize(n * spec().discrete.size());
    observations_.assign(n * std::size_t(width), garbage);
    final_observations_.assign(n * std::size_t(width), garbage);
    masks_.assign(n * std::size_t(choices), 77);
    rewards_.assign(n, garbage);
    ended_.assign(n, 77);
    if (reals) in.continuous = view<float const>(continuous_.data(), instances, agents, reals);
    if (picks) in.discrete = view<std::int32_t const>(discrete_.data(), instances, agents, picks);
    out.observations = view(observations_.data(), instances, agents, width);
    out.final_observations = view(final_observations_.data(), instances, agents, width);
    if (picks) out.masks = view(masks_.data(), instances, agents, choices);
    out.rewards = view(rewards_.data(), instances, agents);
    out.ended = view(ended_.data(), instances, agents);
    hashes_.resize(std::size_t(std::min(instances, hashed)));
  }

  Simulator& operator*() const { return *simulator_; }
  Simulator* operator->() const { return simulator_.get(); }
  Spec const& spec() const { return simulator_->spec(); }

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
        for (std::size_t h = 0; h < spec().continuous.size(); ++h) {
          auto const& head = spec().continuous[h];
          auto const w = random(h);
          float const u = w.unit(1) < 0.5f ? w.unit(0) : float(int(w.unit(0) * 9)) / 8;
          continuous(i, a, h) = head.low + (head.high - head.low) * u;
        }
        int offset = 0;
        for (std::size_t h = 0; h < spec().discrete.size(); ++h) {
          int const choices = spec().discrete[h].choices;
          std::vector<int> legal;
          for (int c = 0; c < choices; ++c)
            if (out.masks(i, a, offset + c)) legal.push_back(c);
          ASSERT_FALSE(legal.empty());
          discrete(i, a, h) = legal[std::size_t(random(64 + h).unit(0) * float(legal.size()))];
          offset += choices;
        }
      }
  }

  float& continuous(int i, int a, std::size_t head) {
    return continuous_[(std::size_t(i) * std::size_t(agents) + std::size_t(a)) * spec().continuous.size() + head];
  }
  std::int32_t& discrete(int i, int a, std::size_t head) {
    return discrete_[(std::size_t(i) * std::size_t(agents) + std::size_t(a)) * spec().discrete.size() + head];
  }

  bool ended(int i) const { return out.ended(i, 0) != 0; }

  std::vector<float> observation(int i) const { return row(out.observations, i); }
  std::vector<float> final_observation(int i) const { return row(out.final_observations, i); }

  std::vector<std::uint64_t> hashes() const {
    std::vector<std::uint64_t> values;
    for (auto const& hash : hashes_) values.push_back(hash.value());
    return values;
  }

  static constexpr float garbage = -12345;

 private:
  std::unique_ptr<Simulator> simulator_;
  std::vector<float> continuous_, observations_, final_observations_, rewards_;
  std::vector<std::int32_t> discrete_;
  std::vector<std::uint8_t> masks_, ended_;
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
        for (int c = 0; c < spec().choices(); ++c) hash.add(std::uint32_t(out.masks(i, a, c)));
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
