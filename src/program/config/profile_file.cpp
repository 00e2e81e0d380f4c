#include "program/config/profile_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "program/config/toml_settings.hpp"
#include "shoal/core/text.hpp"

namespace shoal {

namespace {

/// As the file has it, on one line and not too long.
std::string written(toml::node const& node) {
  std::ostringstream text;
  node.visit([&](auto const& x) { text << x; });
  return printable(text.str(), 40);
}

constexpr double rounding = 1e-6;  // of a bound's width: values are written in single precision

class Reader {
 public:
  Reader(std::string const& path, std::string const& environment, Spec const& spec)
      : path_(path), environment_(environment), spec_(spec), root_(parse_toml(read_toml_text(path), path)) {}

  std::vector<double> operator()() const {
    check_environment();
    check_names();
    std::vector<double> profile;
    for (auto const& supertype : spec_.supertypes)
      for (auto const& coordinate : supertype.coordinates) profile.push_back(value(supertype.name, coordinate));
    return profile;
  }

 private:
  void check_environment() const {
    auto const* const node = root_.get("environment");
    if (!node || !node->is_string())
      throw InputError(fmt::format("{}: environment is missing; expected environment = \"{}\"", path_, environment_));
    if (auto const name = node->as_string()->get(); name != environment_)
      throw InputError(fmt::format("{}environment = \"{}\": a profile of another environment, expected \"{}\"",
                                   location(path_, node->source()), printable(name, 80), environment_));
  }

  /// Every key must be a supertype's coordinate.
  void check_names() const {
    for (auto const& [key, node] : root_) {
      std::string const name(key.str());
      if (name == "environment") continue;
      auto const at = location(path_, key.source());
      auto const supertype =
          std::find_if(spec_.supertypes.begin(), spec_.supertypes.end(), [&](auto const& s) { return s.name == name; });
      if (supertype == spec_.supertypes.end() || supertype->coordinates.empty() || !node.is_table())
        throw InputError(fmt::format("{}{}: unknown; expected environment and a table for each supertype, [{}] to [{}]",
                                     at, printable(name, 80), spec_.supertypes.front().name,
                                     spec_.supertypes.back().name));
      for (auto const& [inner, value] : *node.as_table()) {
        auto const& all = supertype->coordinates;
        if (std::none_of(all.begin(), all.end(), [&](auto const& c) { return c.name == inner.str(); }))
          throw InputError(fmt::format("{}{}.{}: unknown coordinate; expected {} to {}",
                                       location(path_, inner.source()), name, printable(inner.str(), 80),
                                       all.front().name, all.back().name));
      }
    }
  }

  double value(std::string const& supertype, Coordinate const& c) const {
    auto const* const table = root_[supertype].as_table();
    auto const* const node = table ? table->get(c.name) : nullptr;
    auto const name = fmt::format("{}.{}", supertype, c.name);
    auto const expected = fmt::format("expected a number in [{}, {}]", c.low, c.high);
    if (!node) throw InputError(fmt::format("{}: {} is missing; {}", path_, name, expected));
    auto const at = location(path_, node->source());
    auto const x = node->value<double>();
    if (!node->is_number() || !x) throw InputError(fmt::format("{}{} = {}: {}", at, name, written(*node), expected));
    double const slack = rounding * (double(c.high) - double(c.low));
    if (!(*x >= double(c.low) - slack && *x <= double(c.high) + slack))
      throw InputError(fmt::format("{}{} = {}: {}", at, name, *x, expected));
    return *x;
  }

  std::string const& path_;
  std::string const& environment_;
  Spec const& spec_;
  toml::table root_;
};

}  // namespace

std::string profile_toml(std::string const& environment, Spec const& spec, std::vector<double> const& profile,
                         std::vector<std::string> const& header) {
  auto text = toml_comments(header);
  text += fmt::format("environment = \"{}\"\n", environment);
  auto value = profile.begin();
  for (auto const& supertype : spec.supertypes) {
    if (supertype.coordinates.empty()) continue;
    text += fmt::format("\n[{}]\n", supertype.name);
    for (auto const& coordinate : supertype.coordinates)
      text += fmt::format("{} = {}\n", coordinate.name, float(*value++));
  }
  return text;
}

std::vector<double> read_profile(std::string const& path, std::string const& environment, Spec const& spec) {
  return Reader(path, environment, spec)();
}

}  // namespace shoal
