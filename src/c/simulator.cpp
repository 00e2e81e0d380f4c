// Making, running and closing simulators.
#include <array>

#include "c/arrays.hpp"
#include "c/call.hpp"
#include "c/open_simulator.hpp"
#include "settings/parse_settings.hpp"
#include "src/env/sealed_state.hpp"

static_assert(SHOAL_VERSION_MAJOR == SHOAL_PROJECT_MAJOR && SHOAL_VERSION_MINOR == SHOAL_PROJECT_MINOR &&
                  SHOAL_VERSION_PATCH == SHOAL_PROJECT_PATCH,
              "include/shoal.h has another version than CMakeLists.txt");

namespace shoal::c {

namespace {

shoal_options default_options() {
  shoal_options options{};
  options.size = sizeof options;
  options.instances = 1;
  options.threads = 1;
  options.observe_type = 1;
  return options;
}

/// The caller's options; those that their header lacks have their defaults.
shoal_options full_options(shoal_options const* given) {
  auto options = default_options();
  if (!given) return options;
  constexpr std::size_t largest = 1024;  // of any version; what is not initialised may be anything
  if (given->size < offsetof(shoal_options, device) || given->size > largest)
    throw InputError(fmt::format("options.size = {}: expected options that shoal_options_init() wrote", given->size));
  auto const* const bytes = reinterpret_cast<unsigned char const*>(given);
  if (std::any_of(bytes + std::min(given->size, sizeof options), bytes + given->size, [](auto b) { return b != 0; }))
    throw InputError(
        fmt::format("options.size = {}: options are set that this library does not have; expected {} bytes",
                    given->size, sizeof options));
  std::memcpy(&options, given, std::min(given->size, sizeof options));
  return options;
}

void check_range(char const* name, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value < low || value > high)
    throw InputError(fmt::format("options.{} = {}: expected an integer in [{}, {}]", name, value, low, high));
}

SimulatorOptions simulator_options(shoal_options const& o) {
  check_range("instances", o.instances, 1, INT32_MAX);
  check_range("device", o.device, SHOAL_CPU, SHOAL_CUDA);
  check_range("threads", o.threads, 1, 4096);
  check_range("observe_type", o.observe_type, 0, 1);
  check_range("indication", o.indication, SHOAL_INDICATE_NONE, SHOAL_INDICATE_GROUP);
  check_range("observation_width", o.observation_width, 0, 1 << 16);
  check_range("pad_groups", o.pad_groups, 0, 1);
  check_range("central_critic", o.central_critic, 0, 1);
  return {.instances = o.instances,
          .seed = o.seed,
          .first_instance = o.first_instance,
          .threads = o.threads,
          .device = Device(o.device),
          .observation = {.type = o.observe_type != 0,
                          .indication = Indication(o.indication),
                          .width = o.observation_width,
                          .pad_groups = o.pad_groups != 0,
                          .central_critic = o.central_critic != 0}};
}

std::unique_ptr<OpenSimulator> make(char const* environment, char const* params, shoal_options const* given) {
  std::string const name = &checked(environment, "environment");
  auto const options = simulator_options(full_options(given));
  auto const settings = parse_settings(params ? params : "", "params");
  auto made = std::make_unique<OpenSimulator>();
  made->forks = forks_so_far();
  made->simulator = make_simulator(name, settings, options);
  made->fingerprint = state_fingerprint(std::to_string(SHOAL_VERSION_NUMBER), name, resolve_params(name, settings));
  made->inputs.resize(made->simulator->spec().groups.size());
  made->outputs.resize(made->inputs.size());
  if (options.device == Device::cuda) made->cuda_device = current_cuda_device();
  return made;
}

void check_state_size(Simulator const& simulator, std::size_t size) {
  if (size != sealed_size(simulator))
    throw InputError(fmt::format("an instance's state of {} bytes: expected {}", size, sealed_size(simulator)));
}

void import_state(OpenSimulator& s, int instance, std::span<std::byte const> bytes) {
  check_state_size(*s.simulator, bytes.size());
  switch (import_sealed(*s.simulator, s.fingerprint, instance, bytes)) {
    case SealProblem::none: break;
    case SealProblem::foreign:
      throw InputError("the state is of another environment, of other parameters or of another version of shoal");
    case SealProblem::damaged: throw InputError("the state is damaged: its checksum differs");
  }
}

void check_was_reset(OpenSimulator const& simulator) {
  if (!simulator.was_reset) throw InputError("before the first shoal_reset()");
}

}  // namespace

}  // namespace shoal::c

using namespace shoal::c;

shoal_status shoal_options_init(shoal_options* options, size_t size) {
  return guarded(__func__, [&] {
    auto defaults = default_options();
    defaults.size = size;
    fill(options, size, defaults);
  });
}

shoal_status shoal_create(shoal_simulator** simulator, char const* environment, char const* params,
                          shoal_options const* options) {
  return guarded(__func__, [&] {
    checked(simulator, "simulator") = nullptr;
    *simulator = open_handle(make(environment, params, options));
  });
}

shoal_status shoal_close(shoal_simulator* simulator) {
  return guarded(__func__, [&] { Use(simulator).take(); });
}

shoal_status shoal_set_stream(shoal_simulator* simulator, void* stream) {
  return guarded(__func__, [&] { Use(simulator)->simulator->set_stream(stream); });
}

shoal_status shoal_synchronize(shoal_simulator* simulator) {
  return guarded(__func__, [&] { Use(simulator)->simulator->synchronize(); });
}

shoal_status shoal_reset(shoal_simulator* simulator) {
  return guarded(__func__, [&] {
    Use const use(simulator);
    make_outputs(*use, false);
    use->simulator->reset(use->outputs);
    use->was_reset = true;
  });
}

shoal_status shoal_observe(shoal_simulator* simulator) {
  return guarded(__func__, [&] {
    Use const use(simulator);
    check_was_reset(*use);
    make_outputs(*use, false);
    use->simulator->observe(use->outputs);
  });
}

shoal_status shoal_step(shoal_simulator* simulator) {
  return guarded(__func__, [&] {
    Use const use(simulator);
    check_was_reset(*use);
    check_inputs(*use);
    make_outputs(*use, true);
    use->simulator->step(use->inputs, use->outputs);
  });
}

shoal_status shoal_clear_metrics(shoal_simulator* simulator) {
  return guarded(__func__, [&] { Use(simulator)->simulator->clear_metrics(); });
}

shoal_status shoal_state_size(shoal_simulator* simulator, size_t* size) {
  return guarded(__func__, [&] {
    auto& out = checked(size, "size");
    out = sealed_size(*Use(simulator)->simulator);
  });
}

shoal_status shoal_export_state(shoal_simulator* simulator, int32_t instance, void* bytes, size_t size) {
  return guarded(__func__, [&] {
    Use const use(simulator);
    check_was_reset(*use);
    auto* const out = &checked(static_cast<std::byte*>(bytes), "bytes");
    check_state_size(*use->simulator, size);
    export_sealed(*use->simulator, use->fingerprint, instance, {out, size});
  });
}

shoal_status shoal_import_state(shoal_simulator* simulator, int32_t instance, void const* bytes, size_t size) {
  return guarded(__func__, [&] {
    Use const use(simulator);
    check_was_reset(*use);
    auto const* const in = &checked(static_cast<std::byte const*>(bytes), "bytes");
    import_state(*use, instance, {in, size});
  });
}
