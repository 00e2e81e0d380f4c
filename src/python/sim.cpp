#include "src/python/sim.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cstring>

#include "shoal/core/resources.hpp"
#include "shoal/core/text.hpp"
#include "src/python/ended.hpp"
#include "src/python/settings.hpp"
#include "src/python/sim_use.hpp"
#include "src/python/spec.hpp"

namespace shoal::python {

namespace {

/// The arguments of shoal.make().
struct MakeOptions {
  int num_envs = 1;
  std::uint32_t seed = 0, first_instance = 0;
  int common = 1, recorded_episodes = 0, threads = 0;

  template <class Visit>
  static void fields(Visit& visit, MakeOptions& o) {
    constexpr double word = 4294967295.0, whole = 2147483647.0;
    visit("num_envs", o.num_envs, Range{1, 1 << 24}, "instances");
    visit("seed", o.seed, Range{0, word}, "of all random numbers");
    visit("first_instance", o.first_instance, Range{0, word}, "the number of the first instance");
    visit("common", o.common, Range{1, whole}, "consecutive instances that draw the same random numbers");
    visit("recorded_episodes", o.recorded_episodes, Range{0, whole}, "episodes of an instance that count; 0: all");
    visit("threads", o.threads, Range{0, 4096}, "CPU threads; 0: one a core");
  }
};

/// The number after "cuda:", short enough for an int.
bool is_cuda(std::string const& device) {
  if (device == "cuda") return true;
  auto const number = device.starts_with("cuda:") ? device.substr(5) : "";
  return !number.empty() && number.size() < 5 && number.find_first_not_of("0123456789") == number.npos;
}

pid_t cuda_process = 0;  // that made the first simulator on CUDA

void check_fork(std::string const& device) {
  if (cuda_process != 0 && cuda_process != getpid())
    throw InputError(
        fmt::format("device = \"{}\": CUDA was in use before this process was forked; expected a process "
                    "that is spawned (multiprocessing.set_start_method(\"spawn\"))",
                    device));
  cuda_process = getpid();
}

std::string with_prefix(std::string const& prefix, SettingError const& error) {
  return prefix + "." + error.key + error.message;
}

/// One instance, for what has to be known before anything large is made.
std::unique_ptr<Simulator> make_small(std::string const& name, Settings const& settings, SimulatorOptions const& all) {
  try {
    return make_simulator(name, settings, all);
  } catch (SettingError const& error) {
    if (error.key != "width") throw;
    throw InputError(with_prefix("observation", error));
  }
}

/// What the instances' states and the simulator's own outputs take, at least.
void check_memory(Simulator const& one, int instances) {
  auto const& spec = one.spec();
  std::size_t bytes = one.state_size();
  for (int g = 0; g < int(spec.groups.size()); ++g) {
    auto const& group = spec.groups[std::size_t(g)];
    bytes += std::size_t(group.agents) *
             (2 * sizeof(float) * std::size_t(one.observation_width(g)) + std::size_t(group.choices()) + 8);
  }
  double const needed = double(bytes) * instances, available = double(available_memory());
  if (needed > available)
    throw InputError(fmt::format("num_envs = {}: needs {} of memory, {} are available", instances, bytes_text(needed),
                                 bytes_text(available)));
}

nb::dlpack::dtype dtype_of(std::string const& field) {
  bool const is_real = field == "observations" || field == "rewards" || field == "final_observations";
  return is_real ? nb::dtype<float>() : nb::dtype<bool>();
}

}  // namespace

Sim::Sim(std::string name, nb::dict params, nb::dict options, nb::dict observation, std::string const& device)
    : name_(std::move(name)) {
  auto const settings = to_settings(params);
  MakeOptions given;
  read_settings(given, to_settings(options));
  SimulatorOptions all;
  try {
    read_settings(all.observation, to_settings(observation));
  } catch (SettingError const& error) {
    throw InputError(with_prefix("observation", error));
  }
  if (device != "cpu" && !is_cuda(device))
    throw InputError(
        fmt::format("device = \"{}\": expected one of \"cpu\", \"cuda\", \"cuda:N\"", printable(device, 80)));
  all.seed = given.seed;
  all.first_instance = given.first_instance;
  all.common = given.common;
  all.recorded_episodes = given.recorded_episodes;
  auto const one = make_small(name_, settings, all);
  if (is_cuda(device)) {
    check_fork(device);
    place_->cuda_index = cuda::device_index(device);
    all.device = Device::cuda;
  } else {
    check_memory(*one, given.num_envs);
    all.threads = std::min(given.threads > 0 ? given.threads : available_cpus(), given.num_envs);
  }
  all.instances = given.num_envs;
  params_ = resolve_params(name_, settings);

  nb::gil_scoped_release const release;
  cuda::DeviceGuard const guard(place_->cuda_index);
  core_ = std::make_shared<Core>();
  core_->place = place_;
  core_->simulator = make_simulator(name_, settings, all);
  if (place_->on_cuda()) cuda_process = getpid();
}

nb::dict Sim::spec() {
  Use const use(*this);
  return spec_of(*core_->simulator);
}

nb::dict Sim::params() const { return to_python(params_); }
std::string Sim::device() const { return place_->on_cuda() ? fmt::format("cuda:{}", place_->cuda_index) : "cpu"; }

std::string Sim::label(int group, std::string const& what) const {
  auto const& groups = core_->simulator->spec().groups;
  return groups.size() == 1 ? what : fmt::format("group \"{}\": {}", groups[std::size_t(group)].name, what);
}

// ---- Outputs --------------------------------------------------------------------------------------------------------

std::vector<std::int64_t> Sim::shape_of(std::string const& field, int group) const {
  auto const& simulator = *core_->simulator;
  auto const& g = simulator.spec().groups[std::size_t(group)];
  std::int64_t const n = simulator.options().instances, agents = g.agents;
  if (field == "observations" || field == "final_observations") return {n, agents, simulator.observation_width(group)};
  if (field == "masks") return {n, agents, g.choices()};
  return {n, agents};
}

bool Sim::writes(std::string const& field, int group) {
  Use const use(*this);
  auto const& spec = core_->simulator->spec();
  if (field == "masks") return spec.groups[std::size_t(group)].masked;
  return field != "alive" || spec.may_die;
}

Array Sim::make_output(std::string const& field, int group) {
  Use const use(*this);
  std::vector<std::size_t> shape;
  for (auto const extent : shape_of(field, group)) shape.push_back(std::size_t(extent));
  std::size_t bytes = dtype_of(field).bits / 8;
  for (auto const extent : shape) bytes *= extent;
  auto const memory = allocate(*place_, bytes);
  if (field == "masks" || field == "alive") {  // all legal, all alive
    if (place_->on_cuda())
      cuda::fill(memory.get(), 1, bytes, place_->stream);
    else
      std::memset(memory.get(), 1, bytes);
  }
  return {memory.get(), dtype_of(field), shape, memory, place_};
}

std::shared_ptr<Outputs> Sim::bind(nb::list groups, std::optional<std::int64_t> stream) {
  Use const use(*this);
  auto const number = begin_work(stream);
  auto out = std::make_shared<Outputs>();
  out->cuda_index = place_->cuda_index;
  for (int g = 0; g < int(nb::len(groups)); ++g) {
    auto const fields = nb::cast<nb::dict>(groups[std::size_t(g)]);
    auto const lent = [&](char const* field) {
      std::vector dtypes{dtype_of(field)};
      if (dtypes[0] == nb::dtype<bool>()) dtypes.push_back(nb::dtype<std::uint8_t>());
      return borrow(label(g, field), fields[field], *place_, number, dtypes, shape_of(field, g), true, out->borrowed);
    };
    StepOutput view;
    view.observations = as_view<float, 3>(lent("observations"), shape_of("observations", g));
    view.final_observations = as_view<float, 3>(lent("final_observations"), shape_of("observations", g));
    view.rewards = as_view<float, 2>(lent("rewards"), shape_of("rewards", g));
    view.ended = as_view<std::uint8_t, 2>(lent("terminated"), shape_of("terminated", g));
    if (fields.contains("masks")) view.masks = as_view<std::uint8_t, 3>(lent("masks"), shape_of("masks", g));
    if (fields.contains("alive")) view.alive = as_view<std::uint8_t, 2>(lent("alive"), shape_of("alive", g));
    out->truncated.push_back(as_view<std::uint8_t, 2>(lent("truncated"), shape_of("truncated", g)));
    out->views.push_back(view);
  }
  return out;
}

// ---- Steps ----------------------------------------------------------------------------------------------------------

void Sim::check_place(Outputs const& out) const {
  if (out.cuda_index != place_->cuda_index)
    throw InputError(fmt::format("out: bound by an environment on another device, expected {}", device()));
}

/// Puts what follows on the stream. @return the number that other libraries are told for it
std::int64_t Sim::begin_work(std::optional<std::int64_t> stream) {
  if (!place_->on_cuda()) {
    if (stream) throw InputError(fmt::format("stream = {}: expected None on device \"cpu\"", *stream));
    return 0;
  }
  auto const request = parse_stream(stream);
  if (!request.synchronizes) return -1;
  core_->simulator->set_stream(reinterpret_cast<void*>(request.handle));
  place_->stream = request.handle;
  return stream_number(request.handle);
}

StepInput Sim::take_actions(nb::handle actions, int group, std::int64_t stream, Borrowed& borrowed) const {
  auto const& simulator = *core_->simulator;
  auto const& g = simulator.spec().groups[std::size_t(group)];
  std::vector<std::int64_t> shape{simulator.options().instances, g.agents, std::int64_t(g.continuous.size())};
  StepInput in;
  if (!g.continuous.empty()) {
    auto const part = g.discrete.empty() ? nb::borrow(actions) : nb::object(actions["continuous"]);
    auto const lent =
        borrow(label(group, "continuous actions"), part, *place_, stream, {nb::dtype<float>()}, shape, false, borrowed);
    in.continuous = as_view<float const, 3>(lent, shape);
  }
  if (!g.discrete.empty()) {
    auto const part = g.continuous.empty() ? nb::borrow(actions) : nb::object(actions["discrete"]);
    shape[2] = std::int64_t(g.discrete.size());
    auto const lent = borrow(label(group, "discrete actions"), part, *place_, stream, {nb::dtype<std::int32_t>()},
                             shape, false, borrowed);
    in.discrete = as_view<std::int32_t const, 3>(lent, shape);
  }
  return in;
}

std::vector<StepInput> Sim::take_actions(nb::handle actions, std::int64_t stream, Borrowed& borrowed) const {
  auto const& groups = core_->simulator->spec().groups;
  if (groups.size() == 1) return {take_actions(actions, 0, stream, borrowed)};
  auto const fail = [&](std::string const& problem) {
    std::vector<std::string> names;
    for (auto const& group : groups) names.push_back("\"" + group.name + "\"");
    throw InputError(
        fmt::format("actions: {}expected a dictionary with an entry for each of {}", problem, fmt::join(names, ", ")));
  };
  if (!nb::hasattr(actions, "keys") || nb::len(actions) != groups.size()) fail("");
  std::vector<StepInput> in;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    auto const key = nb::str(groups[g].name.c_str());
    if (PyMapping_HasKey(actions.ptr(), key.ptr()) == 0) fail(fmt::format("no entry for \"{}\"; ", groups[g].name));
    in.push_back(take_actions(nb::object(actions[key]), int(g), stream, borrowed));
  }
  return in;
}

void Sim::reset(Outputs& out, std::optional<std::int64_t> stream) {
  Use const use(*this);
  check_place(out);
  begin_work(stream);
  nb::gil_scoped_release const release;
  use->reset(out.views);
}

void Sim::observe(Outputs& out, std::optional<std::int64_t> stream) {
  Use const use(*this);
  check_place(out);
  begin_work(stream);
  nb::gil_scoped_release const release;
  use->observe(out.views);
}

void Sim::step(nb::handle actions, Outputs& out, std::optional<std::int64_t> stream) {
  Use const use(*this);
  check_place(out);
  auto const number = begin_work(stream);
  Borrowed borrowed;
  auto const in = take_actions(actions, number, borrowed);
  {
    nb::gil_scoped_release const release;
    use->step(in, out.views);
    for (std::size_t g = 0; g < in.size(); ++g) {
      if (place_->on_cuda())
        cuda::split_ended(out.views[g].ended, out.truncated[g], place_->stream);
      else
        split_ended(out.views[g].ended, out.truncated[g]);
    }
  }
  if (place_->on_cuda()) actions_ = std::move(borrowed);
}

void Sim::synchronize() {
  Use const use(*this);
  nb::gil_scoped_release const release;
  use->synchronize();
}

void Sim::close() {
  if (!core_) return;
  if (in_use_.exchange(true))
    throw InputError(name_ + ": closed while another thread uses it; expected one thread at a time");
  core_.reset();
  actions_.clear();
  in_use_ = false;
}

}  // namespace shoal::python
