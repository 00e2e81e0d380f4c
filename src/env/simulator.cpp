#include "shoal/env/simulator.hpp"

#include <fmt/format.h>

#include <bit>

#include "shoal/env/cpu_simulator.hpp"
#include "shoal/env/drawing.hpp"

namespace shoal {

namespace {

/// Where a group's indication begins: behind its own observation and its type, where the widest group's would be if
/// they are padded.
int indication_at(Spec const& spec, ObservationOptions const& o, int group) {
  auto const shown = [&](Group const& g) { return g.observation + (o.type ? g.type : 0); };
  int at = shown(spec.groups[std::size_t(group)]);
  if (pads(spec, o))
    for (auto const& g : spec.groups) at = std::max(at, shown(g));
  return at;
}

int indication_width(Spec const& spec, ObservationOptions const& o, int group) {
  switch (o.indication) {
    case Indication::none: return 0;
    case Indication::agent: return pads(spec, o) ? spec.agents() : spec.groups[std::size_t(group)].agents;
    case Indication::group: return int(spec.groups.size());
  }
  return 0;
}

int assembled_width(Spec const& spec, ObservationOptions const& o, int group) {
  return indication_at(spec, o, group) + indication_width(spec, o, group);
}

int row_width(Spec const& spec, ObservationOptions const& o, int group) {
  return std::max(assembled_width(spec, o, group), o.width) + (o.central_critic ? spec.state : 0);
}

/// The rows of a group among those of all agents.
template <class T, int Rank>
View<T, Rank> rows_of(View<T, Rank> rows, Spec const& spec, int group) {
  if (!rows.data) return rows;
  rows.data += spec.first_agent(group) * rows.strides[1];
  rows.extents[1] = spec.groups[std::size_t(group)].agents;
  return rows;
}

template <class T>
View<T, 3> with_width(View<T, 3> rows, std::size_t width) {
  rows.extents[2] = std::int64_t(width);
  return rows;
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

void check_count(char const* what, int count, Spec const& spec) {
  if (count != int(spec.groups.size()))
    throw InputError(fmt::format("{} {}: expected {}, one for each group of agents", count, what, spec.groups.size()));
}

/// Names the group in errors where there are several.
template <class F>
void in_group(Spec const& spec, int group, F f) try {
  f();
} catch (InputError const& error) {
  if (spec.groups.size() == 1) throw;
  throw InputError(fmt::format("group \"{}\": {}", spec.groups[std::size_t(group)].name, error.what()));
}

bool same_values(ContinuousHead const&, ContinuousHead const&) { return true; }
bool same_values(DiscreteHead const& a, DiscreteHead const& b) { return a.choices == b.choices; }

// Calls report(instance, agent, head, action) for every action that does not fit its head. One plain loop over all
// actions, which vectorises, tells whether there are any, where memory and heads allow it: this runs in every step.
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

Simulator::Simulator(Spec spec, SimulatorOptions options)
    : own_spec_(std::move(spec)),
      spec_(pads(own_spec_, options.observation) ? padded(own_spec_) : own_spec_),
      options_(std::move(options)) {
  auto const at_least_one = [](char const* name, int value) {
    if (value < 1) throw SettingError(name, fmt::format(" = {}: expected an integer of at least 1", value));
  };
  at_least_one("instances", options_.instances);
  at_least_one("common", options_.common);
  at_least_one("threads", options_.threads);
  metric_names_ = spec_.metrics;
  for (auto const& supertype : spec_.supertypes) metric_names_.push_back(supertype.name + ".return");
  metric_names_.push_back("episode_length");
}

int Simulator::observation_width(int group) const {
  auto const& o = options_.observation;
  return row_width(own_spec_, o, group);
}

Drawing Simulator::draw(int) const { throw Error("this simulator draws nothing; expected one that can_draw()"); }
Drawing Simulator::draw_after(int instance, GroupSpan<StepInput>) const { return draw(instance); }

void Simulator::check(StepInput const& in, int group) const {
  auto const& g = spec_.groups[std::size_t(group)];
  auto const continuous = int(g.continuous.size()), discrete = int(g.discrete.size());
  check_shape("continuous actions", in.continuous, {options_.instances, g.agents, continuous}, continuous == 0);
  check_shape("discrete actions", in.discrete, {options_.instances, g.agents, discrete}, discrete == 0);
}

void Simulator::check(StepOutput const& out, int group, bool after_step) const {
  auto const& g = spec_.groups[std::size_t(group)];
  auto const n = options_.instances, agents = g.agents, width = observation_width(group);
  check_shape("observations", out.observations, {n, agents, width}, false);
  check_rows("observations", out.observations);
  check_shape("masks", out.masks, {n, agents, g.choices()}, true);
  check_shape("alive", out.alive, {n, agents}, true);
  if (!after_step) return;
  check_shape("rewards", out.rewards, {n, agents}, false);
  check_shape("ended", out.ended, {n, agents}, false);
  check_shape("final observations", out.final_observations, {n, agents, width}, true);
  check_rows("final observations", out.final_observations);
}

void Simulator::check(GroupSpan<StepInput> in) const {
  check_count("inputs", in.size(), spec_);
  for (int g = 0; g < in.size(); ++g) in_group(spec_, g, [&] { check(in[g], g); });
}

void Simulator::check(GroupSpan<StepOutput> out, bool after_step) const {
  check_count("outputs", out.size(), spec_);
  for (int g = 0; g < out.size(); ++g) in_group(spec_, g, [&] { check(out[g], g, after_step); });
}

void Simulator::check_actions(char const* environment, int group, StepInput const& in) const {
  auto const& g = own_spec_.groups[std::size_t(group)];
  int const first = own_spec_.first_agent(group);
  auto const fail = [&](int i, int a, std::string const& head, std::string const& problem) {
    throw InputError(fmt::format("{}: instance {}, agent {}, {}: {}", environment, i, first + a, head, problem));
  };
  for_each_unfit(
      in.continuous, g.continuous,
      [](float x, ContinuousHead const&) { return (~std::bit_cast<std::uint32_t>(x) & 0x7f800000u) != 0; },  // finite
      [&](int i, int a, ContinuousHead const& head, float x) {
        fail(i, a, head.name, fmt::format("action {}, expected a finite number", x));
      });
  for_each_unfit(
      in.discrete, g.discrete,
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
  int widest = 0;
  for (int g = 0; g < int(spec.groups.size()); ++g) widest = std::max(widest, assembled_width(spec, o, g));
  if (o.width != 0 && o.width < widest)
    throw SettingError(
        "width", fmt::format(" = {}: expected 0 or at least {}, the observation before padding", o.width, widest));
  if (o.central_critic && spec.state == 0)
    throw SettingError("central_critic", " = true: the environment has no global state; expected false");
  if (int(spec.metrics.size() + spec.supertypes.size()) + 1 > max_metrics)
    throw InputError(fmt::format("{} metrics: at most {}", spec.metrics.size(), max_metrics));
  return {.agents = spec.agents(), .metrics = int(spec.metrics.size()), .supertypes = int(spec.supertypes.size())};
}

std::vector<GroupLayout> make_group_layouts(Spec const& spec, ObservationOptions const& o,
                                            std::int32_t const* own_choices) {
  int const all_choices = pads(spec, o) ? padded(spec).groups[0].choices() : 0;
  std::vector<GroupLayout> layouts;
  for (int g = 0; g < int(spec.groups.size()); ++g) {
    auto const& group = spec.groups[std::size_t(g)];
    int const first = spec.first_agent(g), at = indication_at(spec, o, g);
    int const agent_0 = at + (pads(spec, o) ? first : 0);
    layouts.push_back({.first = first,
                       .agents = group.agents,
                       .own = group.observation,
                       .type = group.type,
                       .width = row_width(spec, o, g),
                       .choices = group.choices(),
                       .state = o.central_critic ? spec.state : 0,
                       .observe_type = o.type,
                       .one = o.indication == Indication::agent   ? agent_0
                              : o.indication == Indication::group ? at + g
                                                                  : GroupLayout::none,
                       .one_step = o.indication == Indication::agent ? 1 : 0,
                       .own_choice = own_choices ? own_choices + g * all_choices : nullptr,
                       .padded_choices = all_choices});
  }
  return layouts;
}

bool pads(Spec const& spec, ObservationOptions const& options) { return options.pad_groups && spec.groups.size() > 1; }

Spec padded(Spec const& spec) {
  Group all{.name = "all"};
  for (auto const& group : spec.groups) {
    all.agents += group.agents;
    all.observation = std::max(all.observation, group.observation);
    all.type = std::max(all.type, group.type);
    for (std::size_t h = 0; h < group.continuous.size(); ++h) {
      if (h == all.continuous.size()) all.continuous.push_back(group.continuous[h]);
      all.continuous[h].low = std::min(all.continuous[h].low, group.continuous[h].low);
      all.continuous[h].high = std::max(all.continuous[h].high, group.continuous[h].high);
    }
    for (std::size_t h = 0; h < group.discrete.size(); ++h) {
      if (h == all.discrete.size()) all.discrete.push_back(group.discrete[h]);
      all.discrete[h].choices = std::max(all.discrete[h].choices, group.discrete[h].choices);
    }
  }
  all.masked = !all.discrete.empty();
  auto joint = spec;
  joint.groups = {all};
  return joint;
}

std::vector<std::int32_t> padded_choices(Spec const& spec) {
  if (spec.groups.size() == 1) return {};
  auto const all = padded(spec).groups[0];
  std::vector<std::int32_t> own;
  for (auto const& group : spec.groups) {
    int first = 0;
    for (std::size_t h = 0; h < all.discrete.size(); ++h) {
      bool const has = h < group.discrete.size();
      int const choices = has ? group.discrete[h].choices : 0;
      for (int c = 0; c < all.discrete[h].choices; ++c)
        own.push_back(c < choices ? first + c : GroupLayout::padding_choice(!has && c == 0));
      first += choices;
    }
  }
  return own;
}

StepInput part_of(StepInput const& joint, Spec const& spec, int group) {
  auto const& g = spec.groups[std::size_t(group)];
  return {.continuous = with_width(rows_of(joint.continuous, spec, group), g.continuous.size()),
          .discrete = with_width(rows_of(joint.discrete, spec, group), g.discrete.size())};
}

StepOutput part_of(StepOutput const& joint, Spec const& spec, int group) {
  return {.observations = rows_of(joint.observations, spec, group),
          .masks = rows_of(joint.masks, spec, group),
          .alive = rows_of(joint.alive, spec, group),
          .rewards = rows_of(joint.rewards, spec, group),
          .ended = rows_of(joint.ended, spec, group),
          .final_observations = rows_of(joint.final_observations, spec, group)};
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
