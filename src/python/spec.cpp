#include "src/python/spec.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace shoal::python {

namespace nb = nanobind;

namespace {

nb::dict to_python(Group const& group, int width) {
  nb::list continuous, discrete;
  for (auto const& head : group.continuous) continuous.append(nb::make_tuple(head.name, head.low, head.high));
  for (auto const& head : group.discrete) discrete.append(nb::make_tuple(head.name, head.choices));
  nb::dict values;
  values["name"] = group.name;
  values["agents"] = group.agents;
  values["observation"] = group.observation;
  values["type"] = group.type;
  values["width"] = width;
  values["continuous"] = continuous;
  values["discrete"] = discrete;
  values["masked"] = group.masked;
  return values;
}

nb::tuple to_python(Supertype const& supertype) {
  nb::list coordinates;
  for (auto const& c : supertype.coordinates) coordinates.append(nb::make_tuple(c.name, c.low, c.high, c.initial));
  return nb::make_tuple(supertype.name, coordinates);
}

}  // namespace

nb::dict spec_of(Simulator const& simulator) {
  auto const& spec = simulator.spec();
  nb::list groups, supertypes;
  for (std::size_t g = 0; g < spec.groups.size(); ++g)
    groups.append(to_python(spec.groups[g], simulator.observation_width(int(g))));
  for (auto const& supertype : spec.supertypes) supertypes.append(to_python(supertype));
  nb::dict values;
  values["groups"] = groups;
  values["may_truncate"] = spec.may_truncate;
  values["may_die"] = spec.may_die;
  values["may_abstain"] = spec.may_abstain;
  values["max_episode_steps"] = spec.max_episode_steps;
  values["state"] = spec.state;
  values["supertypes"] = supertypes;
  values["supertype_of"] = spec.supertype_of;
  values["metrics"] = simulator.metric_names();
  return values;
}

nb::list describe_all() {
  nb::list all;
  for (auto const& info : environments()) {
    nb::list fields;
    for (auto const& f : info.fields) fields.append(nb::make_tuple(f.name, f.type, f.value, f.allowed, f.help));
    all.append(nb::make_tuple(info.name, info.summary, fields));
  }
  return all;
}

}  // namespace shoal::python
