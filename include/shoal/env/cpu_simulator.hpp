// The CPU backend: instances split over threads, one lane each.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "shoal/core/thread_pool.hpp"
#include "shoal/env/backend.hpp"
#include "shoal/env/drawing.hpp"

namespace shoal {

/// The lanes of SimulatorOptions::team: 0 for "serial", W for "scrambled:W".
/// @throws InputError for anything else
int scrambled_lanes(std::string const& team);

template <class T>
using HostArray = std::vector<T>;

template <class Env>
class CpuSimulator final : public Simulator {
  static_assert(Environment<Env, SerialTeam> && Environment<Env, ScrambledTeam>);

 public:
  /// `params` must be prepared: Env::prepare.
  CpuSimulator(typename Env::Params const& params, SimulatorOptions const& options)
      : Simulator(spec_of<Env>(params), options),
        lanes_(scrambled_lanes(options.team)),
        pool_(options.executor ? 1 : options.threads),
        scratch_(std::size_t(options.threads)),
        memory_(own_spec(), options),
        batch_(memory_.batch(params, options)) {}

  void reset(GroupSpan<StepOutput> all) override {
    check(all, false);
    auto const out = parts_of<Env>(all, own_spec());
    for_each_instance([&](auto team, auto& scratch, int i) { reset_instance(team, batch_, scratch, out, i); });
    all_live(out);
  }

  void observe(GroupSpan<StepOutput> all) override {
    check(all, false);
    auto const out = parts_of<Env>(all, own_spec());
    for_each_instance([&](auto team, auto&, int i) { observe_instance(team, batch_, out, i); });
    all_live(out);
  }

  void step(GroupSpan<StepInput> all_in, GroupSpan<StepOutput> all_out) override {
    check(all_in);
    check(all_out, true);
    auto const in = parts_of<Env>(all_in, own_spec());
    auto const out = parts_of<Env>(all_out, own_spec());
    for (int g = 0; g < groups_of<Env>(); ++g) check_actions(Env::name, g, in[g]);
    if (batch_.clocks[0].episode == 0) throw InputError(std::string(Env::name) + ": step() before the first reset()");
    for_each_instance([&](auto team, auto& scratch, int i) {
      prefetch(batch_.states + std::min(i + 1, options().instances - 1));
      step_one(team, batch_, scratch, in, out, i);
    });
    all_live(out);
  }

  View<float, 3> supertypes() override { return batch_.supertype_values; }
  EpisodeMetrics metrics() override { return {batch_.metric_sums, batch_.episodes}; }
  void clear_metrics() override {
    std::fill(memory_.metric_sums.begin(), memory_.metric_sums.end(), 0.0f);
    std::fill(memory_.episodes.begin(), memory_.episodes.end(), 0);
  }

  std::size_t state_size() const override { return state_bytes<Env>(own_spec()).size; }

  void export_state(int instance, std::span<std::byte> bytes) override {
    check_state(instance, bytes.size());
    for_each_piece(batch_, own_spec(), instance, [&](std::size_t offset, void const* piece, std::size_t size) {
      std::memcpy(bytes.data() + offset, piece, size);
    });
  }

  void import_state(int instance, std::span<std::byte const> bytes) override {
    check_state(instance, bytes.size());
    for_each_piece(batch_, own_spec(), instance, [&](std::size_t offset, void* piece, std::size_t size) {
      std::memcpy(piece, bytes.data() + offset, size);
    });
  }

  bool can_draw() const override { return Draws<Env>; }

  Drawing draw(int instance) const override {
    check_state(instance, state_size());
    return drawing_of(batch_.states[instance]);
  }

  /// With another team than that of step(): the compiler inlines what is called from one place.
  Drawing draw_after(int instance, GroupSpan<StepInput> all) const override {
    check_state(instance, state_size());
    check(all);
    auto const in = parts_of<Env>(all, own_spec());
    auto const scratch = std::make_unique<StepScratch<Env>>();
    auto state = batch_.states[instance];
    std::vector<float> earned(std::size_t(own_spec().agents()));
    PerGroup<Actions, groups_of<Env>()> actions;
    PerGroup<Rewards, groups_of<Env>()> rewards;
    for (int g = 0; g < groups_of<Env>(); ++g) {
      actions[g] = {detail::row_of(in[g].continuous, instance), detail::row_of(in[g].discrete, instance)};
      rewards[g] = view(earned.data() + batch_.groups[g].first, batch_.groups[g].agents);
    }
    Env::step(ScrambledTeam(1), batch_.params, state, scratch->env, detail::given<Env>(actions),
              detail::given<Env>(rewards), random_of(batch_, instance));
    return drawing_of(state);
  }

 private:
  Drawing drawing_of(typename Env::State const& state) const {
    if constexpr (Draws<Env>) {
      Drawing drawing;
      Env::draw(batch_.params, state, drawing);
      return drawing;
    } else {
      return Simulator::draw(0);
    }
  }

  template <class F>
  void for_each_instance(F f) {
    auto const work = [&](int thread, int begin, int end) {
      auto& scratch = scratch_[std::size_t(thread)];
      if (lanes_ == 0)
        for (int i = begin; i < end; ++i) f(SerialTeam{}, scratch, i);
      else
        for (int i = begin; i < end; ++i) f(ScrambledTeam(lanes_), scratch, i);
    };
    int const n = options().instances, shares = options().threads;
    if (!options().executor) return pool_.run(n, work);
    options().executor(
        shares, [&](int share) { work(share, share_begin(n, share, shares), share_begin(n, share + 1, shares)); });
  }

  /// Writes `alive` where nobody can die.
  void all_live(StepOutputs<Env> const& out) {
    if constexpr (!MayDie<Env>)
      if (out[0].alive.data) for_each_instance([&](auto team, auto&, int i) { write_alive(team, batch_, out, i); });
  }

  /// Brings a state into the caches while another is stepped: batches of thousands lie in memory.
  static void prefetch(typename Env::State const* state) {
    auto const* const bytes = reinterpret_cast<char const*>(state);
#pragma GCC unroll 32
    for (std::size_t at = 0; at < sizeof *state; at += 64) __builtin_prefetch(bytes + at, 1);
  }

  /// Not inlined: within the loop over instances, GCC would unroll the environment's short loops before it vectorises.
  template <class Team>
  [[gnu::noinline]] static void step_one(Team team, Batch<Env> const& batch, StepScratch<Env>& scratch,
                                         StepInputs<Env> const& in, StepOutputs<Env> const& out, int instance) {
    step_instance(team, batch, scratch, in, out, instance);
  }

  int lanes_;  // of a scrambled team; 0: serial
  ThreadPool pool_;
  struct alignas(64) Scratch : StepScratch<Env> {};  // one a thread, no false sharing
  std::vector<Scratch> scratch_;
  BatchMemory<Env, HostArray> memory_;
  Batch<Env> batch_;
};

}  // namespace shoal
