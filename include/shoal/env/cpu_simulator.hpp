// The CPU backend: instances split over threads, one lane each.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>
#include <vector>

#include "shoal/core/thread_pool.hpp"
#include "shoal/env/batch.hpp"

namespace shoal {

/// The lanes of SimulatorOptions::team: 0 for "serial", W for "scrambled:W".
/// @throws InputError for anything else
int scrambled_lanes(std::string const& team);

/// @return the layout that `spec` and `options` ask for
/// @throws InputError if the width is too small or there are too many metrics
Layout make_layout(Spec const& spec, SimulatorOptions const& options);

/// The initial supertype profile of one instance, [supertype, coordinate] row-major, padded with zeros.
std::vector<float> initial_supertypes(Spec const& spec);

/// Where the pieces of an instance's exported state begin: clock, state, returns, supertypes.
struct StateBytes {
  std::size_t state, returns, supertypes, size;
};
template <class Env>
StateBytes state_bytes(Spec const& spec) {
  StateBytes at{sizeof(Clock), 0, 0, 0};
  at.returns = at.state + sizeof(typename Env::State);
  at.supertypes = at.returns + sizeof(float) * std::size_t(spec.agents);
  at.size = at.supertypes + sizeof(float) * spec.supertypes.size() * std::size_t(spec.coordinates());
  return at;
}

template <class Env>
class CpuSimulator final : public Simulator {
  static_assert(Environment<Env, SerialTeam> && Environment<Env, ScrambledTeam>);

 public:
  /// `params` must be prepared: Env::prepare.
  CpuSimulator(typename Env::Params const& params, SimulatorOptions const& options)
      : Simulator(Env::spec(params), options),
        lanes_(scrambled_lanes(options.team)),
        pool_(options.threads),
        scratch_(std::size_t(options.threads)),
        clocks_(std::size_t(options.instances)),
        states_(std::size_t(options.instances)),
        supertype_of_(spec().supertype_of.begin(), spec().supertype_of.end()) {
    auto const n = options.instances;
    auto const layout = make_layout(spec(), options);
    auto const types = int(spec().supertypes.size()), coordinates = spec().coordinates();
    auto const metrics = int(metric_names().size());
    returns_.resize(std::size_t(n) * std::size_t(layout.agents));
    metric_sums_.resize(std::size_t(n) * std::size_t(metrics));
    episodes_.resize(std::size_t(n));
    auto const initial = initial_supertypes(spec());
    for (int i = 0; i < n; ++i) supertypes_.insert(supertypes_.end(), initial.begin(), initial.end());
    batch_ = {.params = params,
              .layout = layout,
              .seed = options.seed,
              .instances = n,
              .clocks = clocks_.data(),
              .states = states_.data(),
              .returns = view(returns_.data(), n, layout.agents),
              .supertype_values = view(supertypes_.data(), n, types, coordinates),
              .metric_sums = view(metric_sums_.data(), n, metrics),
              .episodes = view(episodes_.data(), n),
              .supertype_of = supertype_of_.data()};
  }

  void reset(StepOutput const& out) override {
    check(out, false);
    for_each_instance([&](auto team, auto& scratch, int i) { reset_instance(team, batch_, scratch, out, i); });
  }

  void observe(StepOutput const& out) override {
    check(out, false);
    for_each_instance([&](auto team, auto&, int i) { observe_instance(team, batch_, out, i); });
  }

  void step(StepInput const& in, StepOutput const& out) override {
    check(in);
    check(out, true);
    for_each_instance([&](auto team, auto& scratch, int i) { step_instance(team, batch_, scratch, in, out, i); });
  }

  View<float, 3> supertypes() override { return batch_.supertype_values; }
  EpisodeMetrics metrics() override { return {batch_.metric_sums, batch_.episodes}; }
  void clear_metrics() override {
    std::fill(metric_sums_.begin(), metric_sums_.end(), 0.0f);
    std::fill(episodes_.begin(), episodes_.end(), 0);
  }

  std::size_t state_size() const override { return state_bytes<Env>(spec()).size; }

  void export_state(int instance, std::span<std::byte> bytes) override {
    check_state(instance, bytes.size());
    transfer(instance, [&](std::size_t offset, void* piece, std::size_t size) {
      std::memcpy(bytes.data() + offset, piece, size);
    });
  }

  void import_state(int instance, std::span<std::byte const> bytes) override {
    check_state(instance, bytes.size());
    transfer(instance, [&](std::size_t offset, void* piece, std::size_t size) {
      std::memcpy(piece, bytes.data() + offset, size);
    });
  }

 private:
  template <class F>
  void for_each_instance(F f) {
    pool_.run(options().instances, [&](int thread, int begin, int end) {
      auto& scratch = scratch_[std::size_t(thread)];
      if (lanes_ == 0)
        for (int i = begin; i < end; ++i) f(SerialTeam{}, scratch, i);
      else
        for (int i = begin; i < end; ++i) f(ScrambledTeam(lanes_), scratch, i);
    });
  }

  template <class Copy>
  void transfer(int instance, Copy copy) {
    auto const at = state_bytes<Env>(spec());
    auto const i = std::size_t(instance);
    copy(0, &clocks_[i], sizeof(Clock));
    copy(at.state, &states_[i], sizeof(typename Env::State));
    copy(at.returns, &batch_.returns(instance, 0), at.supertypes - at.returns);
    if (at.size > at.supertypes) copy(at.supertypes, &batch_.supertype_values(instance, 0, 0), at.size - at.supertypes);
  }

  int lanes_;  // of a scrambled team; 0: serial
  ThreadPool pool_;
  struct alignas(64) Scratch : StepScratch<Env> {};  // one a thread, no false sharing
  std::vector<Scratch> scratch_;
  std::vector<Clock> clocks_;
  std::vector<typename Env::State> states_;
  std::vector<float> returns_, supertypes_, metric_sums_;
  std::vector<std::int32_t> episodes_, supertype_of_;
  Batch<Env> batch_;
};

}  // namespace shoal
