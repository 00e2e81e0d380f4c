// What environments there are, and what a simulator's environment is.
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "c/call.hpp"
#include "c/open_simulator.hpp"
#include "shoal/env/plugin.hpp"

namespace shoal::c {

namespace {

/// What the caller has seen of an environment; never destroyed, so that its text lives for ever.
EnvironmentInfo const& lasting(EnvironmentInfo const& info) {
  static std::mutex mutex;
  static auto& all = *new std::map<std::string, EnvironmentInfo>;
  std::lock_guard const lock(mutex);
  return all.emplace(info.name, info).first->second;
}

EnvironmentInfo const& find(char const* name) {
  std::string const wanted = &checked(name, "environment");
  for (auto const& info : environments())
    if (info.name == wanted) return lasting(info);
  resolve_params(wanted, {});  // throws, naming those that there are
  throw Error("unreachable");
}

/// Of all environments. A new array where a plugin was loaded since the last call; none is destroyed.
std::vector<char const*> const& all_names() {
  static std::mutex mutex;
  static auto const* last = new std::vector<char const*>;
  auto const all = environments();
  std::lock_guard const lock(mutex);
  if (all.size() <= last->size()) return *last;
  auto* const longer = new std::vector<char const*>;
  for (auto const& info : all) longer->push_back(lasting(info).name.c_str());
  last = longer;
  return *last;
}

Group const& group_of(Spec const& spec, int group) {
  return spec.groups[checked_index("group", group, spec.groups.size())];
}

shoal_spec summary(Simulator const& s) {
  auto const& spec = s.spec();
  return {.groups = int(spec.groups.size()),
          .agents = spec.agents(),
          .supertypes = int(spec.supertypes.size()),
          .coordinates = spec.coordinates(),
          .metrics = int(s.metric_names().size()),
          .max_episode_steps = spec.max_episode_steps,
          .may_truncate = spec.may_truncate,
          .may_die = spec.may_die,
          .may_abstain = spec.may_abstain,
          .state = spec.state};
}

shoal_group summary(Simulator const& s, int index) {
  auto const& group = group_of(s.spec(), index);
  return {.name = group.name.c_str(),
          .agents = group.agents,
          .first_agent = s.spec().first_agent(index),
          .observation_width = s.observation_width(index),
          .own_observation = group.observation,
          .type = group.type,
          .continuous = int(group.continuous.size()),
          .discrete = int(group.discrete.size()),
          .choices = group.choices(),
          .masked = group.masked};
}

}  // namespace

}  // namespace shoal::c

using namespace shoal::c;

shoal_status shoal_load_plugin(char const* path) {
  return guarded(__func__, [&] { shoal::load_plugin(&checked(path, "path")); });
}

shoal_status shoal_list(char const* const** names, int32_t* count) {
  return guarded(__func__, [&] {
    auto const& all = all_names();
    checked(names, "names") = all.data();
    checked(count, "count") = int(all.size());
  });
}

shoal_status shoal_get_environment(char const* name, shoal_environment* environment, size_t size) {
  return guarded(__func__, [&] {
    auto const& info = find(name);
    fill(environment, size, {info.summary.c_str(), int(info.fields.size())});
  });
}

shoal_status shoal_get_field(char const* environment, int32_t index, shoal_field* field, size_t size) {
  return guarded(__func__, [&] {
    auto const& fields = find(environment).fields;
    auto const& f = fields[checked_index("field", index, fields.size())];
    fill(field, size, {f.name.c_str(), f.type.c_str(), f.value.c_str(), f.allowed.c_str(), f.help.c_str()});
  });
}

shoal_status shoal_get_spec(shoal_simulator* simulator, shoal_spec* spec, size_t size) {
  return guarded(__func__, [&] { fill(spec, size, summary(*Use(simulator)->simulator)); });
}

shoal_status shoal_get_group(shoal_simulator* simulator, int32_t group, shoal_group* out, size_t size) {
  return guarded(__func__, [&] { fill(out, size, summary(*Use(simulator)->simulator, group)); });
}

shoal_status shoal_get_continuous_head(shoal_simulator* simulator, int32_t group, int32_t head,
                                       shoal_continuous_head* out, size_t size) {
  return guarded(__func__, [&] {
    Use const use(simulator);
    auto const& heads = group_of(use->simulator->spec(), group).continuous;
    auto const& h = heads[checked_index("continuous head", head, heads.size())];
    fill(out, size, {h.name.c_str(), h.low, h.high});
  });
}

shoal_status shoal_get_discrete_head(shoal_simulator* simulator, int32_t group, int32_t head, shoal_discrete_head* out,
                                     size_t size) {
  return guarded(__func__, [&] {
    Use const use(simulator);
    auto const& heads = group_of(use->simulator->spec(), group).discrete;
    auto const index = checked_index("discrete head", head, heads.size());
    int first = 0;
    for (std::size_t h = 0; h < index; ++h) first += heads[h].choices;
    fill(out, size, {heads[index].name.c_str(), heads[index].choices, first});
  });
}

shoal_status shoal_get_supertype(shoal_simulator* simulator, int32_t supertype, shoal_supertype* out, size_t size) {
  return guarded(__func__, [&] {
    Use const use(simulator);
    auto const& all = use->simulator->spec().supertypes;
    auto const& s = all[checked_index("supertype", supertype, all.size())];
    fill(out, size, {s.name.c_str(), int(s.coordinates.size())});
  });
}

shoal_status shoal_get_coordinate(shoal_simulator* simulator, int32_t supertype, int32_t coordinate,
                                  shoal_coordinate* out, size_t size) {
  return guarded(__func__, [&] {
    Use const use(simulator);
    auto const& all = use->simulator->spec().supertypes;
    auto const& coordinates = all[checked_index("supertype", supertype, all.size())].coordinates;
    auto const& c = coordinates[checked_index("coordinate", coordinate, coordinates.size())];
    fill(out, size, {c.name.c_str(), c.low, c.high, c.initial});
  });
}

shoal_status shoal_get_supertype_of(shoal_simulator* simulator, int32_t agent, int32_t* supertype) {
  return guarded(__func__, [&] {
    Use const use(simulator);
    auto const& all = use->simulator->spec().supertype_of;
    checked(supertype, "supertype") = all[checked_index("agent", agent, all.size())];
  });
}

shoal_status shoal_get_metric(shoal_simulator* simulator, int32_t metric, char const** name) {
  return guarded(__func__, [&] {
    Use const use(simulator);
    auto const& all = use->simulator->metric_names();
    checked(name, "name") = all[checked_index("metric", metric, all.size())].c_str();
  });
}
