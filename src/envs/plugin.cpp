#include "shoal/env/plugin.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include "shoal/core/text.hpp"
#include "src/envs/registry.hpp"

namespace shoal {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void refuse(fs::path const& path, std::string const& problem) {
  throw InputError(fmt::format("plugin {}: {}", printable(path.string()), problem));
}

/// The environment of a plugin whose interface is ours. It says what it is: its own errors show here, not later.
EnvironmentEntry checked_entry(Plugin const& plugin, fs::path const& path) try {
  auto const entry = plugin.entry();
  static_cast<void>(entry.info());
  return entry;
} catch (std::exception const& error) {
  refuse(path, error.what());
}

}  // namespace

std::string load_plugin(fs::path const& path) {
  std::error_code error;
  auto const file = fs::canonical(path, error);
  if (error) refuse(path, error.message());
  // Its symbols stay its own: it holds a copy of the simulator's functions. It is never closed, for simulators may live
  // as long as the process.
  void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) refuse(path, fmt::format("cannot be loaded: {}", printable(dlerror())));
  auto const get = reinterpret_cast<Plugin const* (*)()>(dlsym(library, "shoal_plugin"));
  if (!get) refuse(path, "no symbol shoal_plugin there; expected a library that shoal_add_environment() made");
  auto const& plugin = *get();
  if (plugin.interface != std::string_view(SHOAL_INTERFACE))
    refuse(path, fmt::format("compiled for shoal {}, expected {}; build it against this version",
                             printable(plugin.interface, 80), SHOAL_INTERFACE));
  auto const entry = checked_entry(plugin, path);
  add_environment(entry, file.string());
  return entry.name;
}

}  // namespace shoal
