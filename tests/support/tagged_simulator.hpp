// A simulator whose rewards and observations say where they belong, with heads of both kinds, masks and both kinds of
// ends.
#pragma once

#include <cmath>
#include <vector>

#include "shoal/env/contract.hpp"
#include "shoal/env/simulator.hpp"

namespace shoal::test {

class TaggedSimulator final : public Simulator {
 public:
  static constexpr int agents = 3, width = 4;

  explicit TaggedSimulator(int instances) : Simulator(make_spec(), {.instances = instances}) {}

  /// The reward of an agent for step t.
  static float tag(int t, int instance, int agent) { return float(100 * t + 10 * instance + agent); }
  /// Observations of the state before step t, or of the final state of an episode that step t - 1 ended.
  static float seen(int t, int instance, int agent, int k, bool last = false) {
    return std::sin(0.7f * tag(t, instance, agent) + float(k)) + (last ? 5.0f : 0.0f);
  }
  static bool legal(int t, int instance, int agent, int choice) {
    return choice % 2 == 0 || (t + instance + agent) % 3 != 0;
  }
  static Ended ended(int t, int instance) {
    return (t + instance) % 3 != 2 ? Ended::no : instance % 2 == 0 ? Ended::terminated : Ended::truncated;
  }

  /// The actions that steps received: [t][(instance * agents + agent) * heads + head].
  std::vector<std::vector<float>> continuous;
  std::vector<std::vector<int>> discrete;

  void reset(GroupSpan<StepOutput> out) override {
    t_ = 0;
    observe(out);
  }
  void observe(GroupSpan<StepOutput> all) override {
    check(all, false);
    auto const& out = all[0];
    each([&](int i, int a) {
      for (int k = 0; k < width; ++k) out.observations(i, a, k) = seen(t_, i, a, k);
      for (int c = 0; c < spec().groups[0].choices(); ++c) out.masks(i, a, c) = legal(t_, i, a, c);
      if (out.alive.data) out.alive(i, a) = 1;
    });
  }
  void step(GroupSpan<StepInput> all_in, GroupSpan<StepOutput> all) override {
    check(all_in);
    check(all, true);
    auto const& in = all_in[0];
    auto const& out = all[0];
    continuous.emplace_back();
    discrete.emplace_back();
    each([&](int i, int a) {
      continuous.back().push_back(in.continuous(i, a, 0));
      for (int h = 0; h < 2; ++h) discrete.back().push_back(in.discrete(i, a, h));
      out.rewards(i, a) = tag(t_, i, a);
      out.ended(i, a) = std::uint8_t(ended(t_, i));
      if (ended(t_, i) == Ended::no) return;
      for (int k = 0; k < width; ++k) out.final_observations(i, a, k) = seen(t_ + 1, i, a, k, true);
    });
    ++t_;
    observe(out);
  }

  View<float, 3> supertypes() override { return {}; }
  EpisodeMetrics metrics() override { return {}; }
  void clear_metrics() override {}
  std::size_t state_size() const override { return 0; }
  void export_state(int, std::span<std::byte>) override {}
  void import_state(int, std::span<std::byte const>) override {}

 private:
  static Spec make_spec() {
    Spec spec{.groups = {{.agents = agents, .observation = width}}};
    spec.groups[0].continuous = {{"real", -1, 1}};
    spec.groups[0].discrete = {{"three", 3}, {"two", 2}};
    spec.groups[0].masked = spec.may_truncate = true;
    spec.max_episode_steps = 3;
    spec.supertypes = {{"only", {}}};
    spec.supertype_of = {0, 0, 0};
    return spec;
  }
  template <class F>
  void each(F f) {
    for (int i = 0; i < options().instances; ++i)
      for (int a = 0; a < agents; ++a) f(i, a);
  }
  int t_ = 0;
};

}  // namespace shoal::test
