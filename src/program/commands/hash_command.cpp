#include "program/commands/hash_command.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "program/config/config.hpp"
#include "program/runs/console.hpp"
#include "program/runs/device_memory.hpp"
#include "shoal/core/hash.hpp"
#include "shoal/core/random.hpp"
#include "shoal/env/simulator.hpp"
#include "shoal/train/memory.hpp"

namespace shoal {

namespace {

/// A simulator of one group, with all that its steps read and write, and a random policy.
class Walk {
 public:
  Walk(std::unique_ptr<Simulator> simulator, int show)
      : sim_(std::move(simulator)),
        group_(sim_->spec().groups[0]),
        device_(sim_->options().device),
        instances_(sim_->options().instances),
        hashes_(std::size_t(show)),
        observations_(array<float>(sim_->observation_width())),
        final_observations_(array<float>(sim_->observation_width())),
        masks_(array<std::uint8_t>(group_.choices())),
        alive_(array<std::uint8_t>(1)),
        rewards_(array<float>(1)),
        ended_(array<std::uint8_t>(1)),
        continuous_(array<float>(int(group_.continuous.size()))),
        discrete_(array<std::int32_t>(int(group_.discrete.size()))) {}

  std::uint64_t operator()(int steps) {
    sim_->clear_metrics();
    sim_->reset(output());
    sim_->synchronize();
    add_observations();
    for (int step = 0; step < steps; ++step) {
      for (int i = 0; i < instances_; ++i) choose_actions(i, step);
      sim_->step(input(), output());
      sim_->synchronize();
      add_step();
      add_observations();
    }
    add_metrics();
    TrajectoryHash total;
    for (auto const& hash : hashes_) total.add(hash.value());
    return total.value();
  }

 private:
  template <class T>
  SharedArray<T> array(int width) const {
    return {device_, std::size_t(instances_) * std::size_t(group_.agents) * std::size_t(width)};
  }

  template <class T>
  View<T, 3> rows(SharedArray<T> const& memory, int width) const {
    return view(memory.data(), instances_, group_.agents, width);
  }

  StepInput input() const {
    return {.continuous = rows(continuous_, int(group_.continuous.size())),
            .discrete = rows(discrete_, int(group_.discrete.size()))};
  }

  StepOutput output() const {
    return {.observations = rows(observations_, sim_->observation_width()),
            .masks = rows(masks_, group_.choices()),
            .alive = view(alive_.data(), instances_, group_.agents),
            .rewards = view(rewards_.data(), instances_, group_.agents),
            .ended = view(ended_.data(), instances_, group_.agents),
            .final_observations = rows(final_observations_, sim_->observation_width())};
  }

  // Uniform; of a discrete head's choices only the legal ones.
  void choose_actions(int i, int step) {
    Random const random{sim_->options().seed, std::uint32_t(i), 0, std::uint32_t(step)};
    auto const continuous = rows(continuous_, int(group_.continuous.size()));
    auto const discrete = rows(discrete_, int(group_.discrete.size()));
    auto const masks = rows(masks_, group_.choices());
    std::uint32_t index = 0;
    for (int agent = 0; agent < group_.agents; ++agent) {
      for (std::size_t h = 0; h < group_.continuous.size(); ++h) {
        auto const& head = group_.continuous[h];
        continuous(i, agent, h) = head.low + (head.high - head.low) * random.draw(Purpose::test, index++).unit(0);
      }
      int first = 0;
      for (std::size_t h = 0; h < group_.discrete.size(); ++h) {
        int const choices = group_.discrete[h].choices;
        auto const* const legal = &masks(i, agent, first);
        discrete(i, agent, h) = choose(legal, choices, random.draw(Purpose::test, index++).w[0]);
        first += choices;
      }
    }
  }

  static std::int32_t choose(std::uint8_t const* legal, int choices, std::uint32_t word) {
    auto const count = std::count_if(legal, legal + choices, [](std::uint8_t x) { return x != 0; });
    auto skip = std::int64_t(std::uint64_t(word) * std::uint64_t(count) >> 32);
    for (int c = 0; c < choices; ++c)
      if (legal[c] && skip-- == 0) return c;
    return 0;
  }

  // Instance i's part of an array; bytes are widened to words.
  template <class T>
  void add(std::size_t i, SharedArray<T> const& memory, int width) {
    auto const count = std::size_t(group_.agents) * std::size_t(width);
    for (std::size_t k = i * count; k < (i + 1) * count; ++k) {
      if constexpr (std::is_same_v<T, float>)
        hashes_[i].add(memory.data()[k]);
      else
        hashes_[i].add(std::uint32_t(memory.data()[k]));
    }
  }

  void add_observations() {
    for (std::size_t i = 0; i < hashes_.size(); ++i) {
      add(i, observations_, sim_->observation_width());
      add(i, masks_, group_.choices());
      add_dead(i);
    }
  }

  // By their numbers, so that a trajectory in which nobody dies has the hash that it had before agents could.
  void add_dead(std::size_t i) {
    for (std::size_t a = 0; a < std::size_t(group_.agents); ++a)
      if (!alive_.data()[i * std::size_t(group_.agents) + a]) hashes_[i].add(std::uint32_t(a));
  }

  // An episode's end sets every agent's row, a death that agent's alone.
  bool has_ended(std::size_t i) const {
    auto const* const rows = ended_.data() + i * std::size_t(group_.agents);
    return std::all_of(rows, rows + group_.agents, [](std::uint8_t x) { return x != 0; });
  }

  void add_step() {
    for (std::size_t i = 0; i < hashes_.size(); ++i) {
      add(i, rewards_, 1);
      add(i, ended_, 1);
      if (has_ended(i)) add(i, final_observations_, sim_->observation_width());
    }
  }

  void add_metrics() {
    auto const metrics = sim_->metrics();
    std::vector<float> sums(sim_->metric_names().size());
    for (std::size_t i = 0; i < hashes_.size(); ++i) {
      copy_to_host(device_, sums.data(), &metrics.sums(i, 0), sums.size() * sizeof(float));
      std::int32_t episodes = 0;
      copy_to_host(device_, &episodes, &metrics.episodes(i), sizeof episodes);
      for (float const sum : sums) hashes_[i].add(sum);
      hashes_[i].add(std::uint32_t(episodes));
    }
  }

  std::unique_ptr<Simulator> sim_;
  Group const& group_;
  Device device_;
  int instances_;
  std::vector<TrajectoryHash> hashes_;
  SharedArray<float> observations_, final_observations_;
  SharedArray<std::uint8_t> masks_, alive_;
  SharedArray<float> rewards_;
  SharedArray<std::uint8_t> ended_;
  SharedArray<float> continuous_;
  SharedArray<std::int32_t> discrete_;
};

void check(HashOptions const& o) {
  auto const in_range = [](char const* key, int value, int low, int high, std::string const& expected) {
    if (value < low || value > high) throw InputError(fmt::format("--{} = {}: expected {}", key, value, expected));
  };
  in_range("instances", o.instances, 1, 1 << 24, "an integer in [1, 16777216]");
  in_range("threads", o.threads, 1, 4096, "an integer in [1, 4096]");
  in_range("steps", o.steps, 0, 1 << 30, "an integer of at least 0");
  in_range("show", o.show, 1, o.instances, fmt::format("1 to --instances, {}", o.instances));
  if (o.device != "cpu" && o.device != "cuda")
    throw InputError(fmt::format("--device = \"{}\": expected \"cpu\" or \"cuda\"", o.device));
}

std::unique_ptr<Simulator> simulator_of(HashOptions const& o) {
  auto const params = parse_assignments(o.params);
  try {
    if (o.device == "cpu")
      check_memory(
          {fmt::format("--instances = {}", o.instances), o.instances, instance_bytes(o.environment, params, {}, 1), 0},
          at::kCPU);
    return make_simulator(o.environment, params,
                          {.instances = o.instances,
                           .seed = o.seed,
                           .threads = o.threads,
                           .device = o.device == "cuda" ? Device::cuda : Device::cpu,
                           .team = o.team,
                           .observation = {.pad_groups = true}});
  } catch (SettingError const& error) {
    if (error.key == "name") throw InputError("hash: environment" + error.message);
    bool const option = error.key == "instances" || error.key == "threads" || error.key == "team";
    throw InputError((params.count(error.key) ? "--set " : option ? "--" : "") + error.key + error.message);
  }
}

}  // namespace

std::uint64_t trajectory_hash(HashOptions const& options) {
  check(options);
  return Walk(simulator_of(options), options.show)(options.steps);
}

int hash_command(HashOptions const& o) {
  warn_about_threads("--threads", o.threads);
  auto const hash = trajectory_hash(o);
  std::string params;
  for (auto const& text : o.params) params += " " + text;
  fmt::print("{}{} instances={} threads={} team={} steps={} seed={} show={} device={}  {:016x}\n", o.environment,
             params, o.instances, o.threads, o.team, o.steps, o.seed, o.show, o.device, hash);
  return 0;
}

}  // namespace shoal
