#include "shoal/env/simulator.hpp"

#include <fmt/format.h>

#include <bit>

#include "shoal/env/cpu_simulator.hpp"
#include "shoal/env/drawing.hpp"

namespace shoal {

namespace {

int assembled_width(Spec const& spec, ObservationOptions const& o) {
  return spec.observation + (o.type ? spec.type : 0) + (o.indication ? spec.agents : 0);
}

template <class T, int Rank>
void check_shape(char const* name, View<T, Rank> const& v, std::array<std::int64_t, Rank> const& expected,
                 bool optional) {
  if (optional && !v.data) return;
  bool const fits = v.data && std::equal(expected.begin(), expected.end(), v.extents);
  if (fits) return;
  auto const text = [](auto const* extents) {
    std::string s;
    for (int d = 0; d < Rank; ++d) s += (d ? ", " : "") + std::to_string(extents[d]);
    return "[" + s + "]";
  };
  throw InputError(fmt::format("{}: {}, expected shape {}", name, v.data ? "shape " + text(v.extents) : "no memory",
                               text(expected.data())));
}

// Environments write rows of observations through pointers.
void check_rows(char const* name, View<float, 3> const& v) {
  if (v.data && v.strides[2] != 1 && v.extents[2] > 1)
    throw InputError(fmt::format("{}: the last extent has stride {}, expected 1", name, v.strides[2]));
}

bool same_values(ContinuousHead const&, ContinuousHead const&) { return true; }
bool same_values(DiscreteHead const& a, DiscreteHead const& b) { return a.choices == b.choices; }

// Calls report(instance, agent, head, action) for every action that does not fit its head. One plain loop over all actions, which
// vectorises, tells whether there are any, where memory and heads allow it: this runs in every step.
template <class T, class Head, class Fits, class Report>
void for_each_unfit(View<T, 3> const& actions, std::vector<Head> const& heads, Fits fits, Report report) {
  if (heads.empty()) return;
  auto const& [n, agents, count] = actions.extents;
  bool const contiguous =
      actions.strides[2] == 1 && actions.strides[1] == count && actions.strides[0] == agents * count;
  bool const alike =
      std::all_of(heads.begin(), heads.end(), [&](Head const& head) { return same_values(head, heads[0]); });
  if (contiguous && alike) {
    T* const data = actions.data;
    Head const head = heads[0];
    std::int64_t const size = actions.size();
    unsigned unfit = 0;
    for (std::int64_t k = 0; k < size; ++k) unfit |= !fits(data[k], head);
    if (!unfit) return;
  }
  for (int i = 0; i < n; ++i)
    for (int a = 0; a < agents; ++a)
      for (std::size_t h = 0; h < heads.size(); ++h)
        if (auto const x = actions(i, a, h); !fits(x, heads[h])) report(i, a, heads[h], x);
}

}  // namespace

Simulator::Simulator(Spec spec, SimulatorOptions options) : spec_(std::move(spec)), options_(std::move(options)) {
  auto const at_least_one = [](char const* name, int value) {
    if (value < 1) throw SettingError(name, fmt::format(" = {}: expected an integer of at least 1", value));
  };
  at_least_one("instances", options_.instances);
  at_least_one("common", options_.common);
  at_least_one("threads", options_.threads);
  observation_width_ = std::max(assembled_width(spec_, options_.observation), options_.observation.width);
  metric_names_ = spec_.metrics;
  for (auto const& supertype : spec_.supertypes) metric_names_.push_back(supertype.name + ".return");
  metric_names_.push_back("episode_length");
}

Drawing Simulator::draw(int) const { throw Error("this simulator draws nothing; expected one that can_draw()"); }
Drawing Simulator::draw_after(int instance, StepInput const&) const { return draw(instance); }

void Simulator::check(StepInput const& in) const {
  auto const n = options_.instances, agents = spec_.agents;
  auto const continuous = int(spec_.continuous.size()), discrete = int(spec_.discrete.size());
  check_shape("continuous actions", in.continuous, {n, agents, continuous}, continuous == 0);
  check_shape("discrete actions", in.discrete, {n, agents, discrete}, discrete == 0);
}

void Simulator::check(StepOutput const& out, bool after_step) const {
  auto const n = options_.instances, agents = spec_.agents;
  check_shape("observations", out.observations, {n, agents, observation_width_}, false);
  check_rows("observations", out.observations);
  check_shape("masks", out.masks, {n, agents, spec_.choices()}, true);
  check_shape("alive", out.alive, {n, agents}, true);
  if (!after_step) return;
  check_shape("rewards", out.rewards, {n, agents}, false);
  check_shape("ended", out.ended, {n, agents}, false);
  check_shape("final observations", out.final_observations, {n, agents, observation_width_}, true);
  check_rows("final observations", out.final_observations);
}

void Simulator::check_actions(char const* environment, StepInput const& in) const {
  auto const fail = [&](int i, int a, std::string const& head, std::string const& problem) {
    throw InputError(fmt::format("{}: instance {}, agent {}, {}: {}", environment, i, a, head, problem));
  };
  for_each_unfit(
      in.continuous, spec_.continuous,
      [](float x, ContinuousHead const&) { return (~std::bit_cast<std::uint32_t>(x) & 0x7f800000u) != 0; },  // finite
      [&](int i, int a, ContinuousHead const& head, float x) {
        fail(i, a, head.name, fmt::format("action {}, expected a finite number", x));
      });
  for_each_unfit(
      in.discrete, spec_.discrete,
      [](std::int32_t x, DiscreteHead const& head) { return std::uint32_t(x) < std::uint32_t(head.choices); },
      [&](int i, int a, DiscreteHead const& head, std::int32_t x) {
        fail(i, a, head.name, fmt::format("{}, expected one in [0, {})", x, head.choices));
      });
}

void Simulator::check_state(int instance, std::size_t size) const {
  if (instance < 0 || instance >= options_.instances)
    throw InputError(fmt::format("instance {}: expected one in [0, {})", instance, options_.instances));
  if (size != state_size())
    throw InputError(fmt::format("an instance's state of {} bytes: expected {}", size, state_size()));
}

int scrambled_lanes(std::string const& team) {
  constexpr std::string_view prefix = "scrambled:";
  if (team == "serial") return 0;
  int lanes = 0;
  if (team.starts_with(prefix)) {
    auto const* const end = team.data() + team.size();
    auto const [rest, error] = std::from_chars(team.data() + prefix.size(), end, lanes);
    if (error == std::errc{} && rest == end && lanes >= 1 && lanes <= 1024) return lanes;
  }
  throw SettingError("team",
                     fmt::format(" = \"{}\": expected \"serial\" or \"scrambled:W\" with W in [1, 1024]", team));
}

Layout make_layout(Spec const& spec, SimulatorOptions const& options) {
  auto const& o = options.observation;
  int const assembled = assembled_width(spec, o);
  if (o.width != 0 && o.width < assembled)
    throw SettingError(
        "width", fmt::format(" = {}: expected 0 or at least {}, the observation before padding", o.width, assembled));
  if (int(spec.metrics.size() + spec.supertypes.size()) + 1 > max_metrics)
    throw InputError(fmt::format("{} metrics: at most {}", spec.metrics.size(), max_metrics));
  return {.agents = spec.agents,
          .own = spec.observation,
          .type = spec.type,
          .width = std::max(assembled, o.width),
          .choices = spec.choices(),
          .metrics = int(spec.metrics.size()),
          .supertypes = int(spec.supertypes.size()),
          .observe_type = o.type,
          .indication = o.indication};
}

std::vector<float> initial_supertypes(Spec const& spec, int instances) {
  auto const stride = std::size_t(spec.coordinates()), size = spec.supertypes.size() * stride;
  std::vector<float> values(size * std::size_t(instances));
  for (std::size_t at = 0; at < values.size(); at += size)
    for (std::size_t s = 0; s < spec.supertypes.size(); ++s)
      for (std::size_t c = 0; c < spec.supertypes[s].coordinates.size(); ++c)
        values[at + s * stride + c] = spec.supertypes[s].coordinates[c].initial;
  return values;
}

}  // namespace shoal
