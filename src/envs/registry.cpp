#include "src/envs/registry.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <mutex>
#include <sstream>

#include "envs/list.hpp"
#include "shoal/core/text.hpp"
#include "shoal/env/plugin.hpp"

namespace shoal {

namespace {

struct Registered {
  EnvironmentEntry entry;
  std::string plugin;  // its file; empty: one of shoal's own
};

template <class... Env>
std::vector<Registered> own_environments(std::tuple<Env...>*) {
  return {{environment_entry<Env>(), ""}...};
}

class Registry {
 public:
  std::vector<Registered> all() const {
    std::lock_guard const lock(mutex_);
    return all_;
  }

  void add(EnvironmentEntry const& entry, std::string const& plugin) {
    std::lock_guard const lock(mutex_);
    for (auto const& other : all_) {
      if (std::string_view(other.entry.name) != entry.name) continue;
      if (other.plugin == plugin) return;
      throw InputError(fmt::format("plugin {}: the name \"{}\" is taken, by {}", printable(plugin),
                                   printable(entry.name, 80),
                                   other.plugin.empty() ? "one of shoal's own" : printable(other.plugin)));
    }
    all_.push_back({entry, plugin});
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Registered> all_ = shoal::own_environments(static_cast<AllEnvironments*>(nullptr));
};

Registry& registry() {
  static Registry all;
  return all;
}

void load_listed_plugins() {
  char const* const list = std::getenv("SHOAL_PLUGINS");
  std::istringstream paths(list ? list : "");
  for (std::string path; std::getline(paths, path, ':');) try {
      if (!path.empty()) load_plugin(path);
    } catch (InputError const& error) {
      throw InputError(fmt::format("SHOAL_PLUGINS: {}", error.what()));
    }
}

std::vector<Registered> all_environments() {
  static bool const loaded = (load_listed_plugins(), true);  // tried again if it throws
  static_cast<void>(loaded);
  return registry().all();
}

EnvironmentEntry find(std::string const& name) {
  std::string known;
  for (auto const& [e, plugin] : all_environments()) {
    if (e.name == name) return e;
    known += (known.empty() ? "" : ", ") + fmt::format("\"{}\"", e.name);
  }
  throw SettingError("name", fmt::format(" = \"{}\": expected one of {}", printable(name, 80), known));
}

}  // namespace

void add_environment(EnvironmentEntry const& entry, std::string const& file) { registry().add(entry, file); }

std::string plugin_of(std::string const& environment) {
  for (auto const& [e, plugin] : all_environments())
    if (e.name == environment) return plugin;
  return {};
}

std::vector<EnvironmentInfo> environments() {
  std::vector<EnvironmentInfo> all;
  for (auto const& [e, plugin] : all_environments()) all.push_back(e.info());
  return all;
}

std::unique_ptr<Simulator> make_simulator(std::string const& environment, Settings const& params,
                                          SimulatorOptions const& options) {
  return find(environment).make(params, options);
}

std::unique_ptr<Heuristic> make_heuristic(std::string const& environment, Settings const& params, Device device) {
  return find(environment).heuristic(params, device);
}

Settings resolve_params(std::string const& environment, Settings const& params) {
  return find(environment).resolve(params);
}

Settings params_with_agents(std::string const& environment, int agents) {
  return find(environment).with_agents(agents);
}

}  // namespace shoal
