// Simulators on both devices, played with the same actions, and the comparison of everything that they write.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "on_device.hpp"
#include "shoal/core/hash.hpp"
#include "shoal/core/random.hpp"
#include "shoal/env/simulator.hpp"

namespace shoal {

/// An array that a simulator uses: on the host, or on the device with a copy on the host.
template <class T>
class Mirror {
 public:
  Mirror(std::size_t count, bool on_device) : host(count), device_(on_device ? count : 0) {}

  T* data() { return device_.size() > 0 ? device_.data() : host.data(); }
  void to_device(cudaStream_t stream) { copy(device_.data(), host.data(), cudaMemcpyHostToDevice, stream); }
  void to_host(cudaStream_t stream) { copy(host.data(), device_.data(), cudaMemcpyDeviceToHost, stream); }

  std::vector<T> host;

 private:
  void copy(T* to, T const* from, cudaMemcpyKind kind, cudaStream_t stream) {
    if (device_.size() > 0) SHOAL_CUDA_CHECK(cudaMemcpyAsync(to, from, device_.bytes(), kind, stream));
  }

  cuda::DeviceBuffer<T> device_;
};

enum class Play { random, ties };

/// A simulator with memory for all that it reads and writes. Actions depend on (instance, agent, step) alone.
class DevicePlayer {
 public:
  explicit DevicePlayer(std::unique_ptr<Simulator> simulator, cudaStream_t stream = nullptr)
      : sim(std::move(simulator)),
        group(sim->spec().groups[0]),
        instances(sim->options().instances),
        observations(mirror<float>(sim->observation_width())),
        final_observations(mirror<float>(sim->observation_width())),
        masks(mirror<std::uint8_t>(group.choices())),
        alive(mirror<std::uint8_t>(1)),
        ended(mirror<std::uint8_t>(1)),
        rewards(mirror<float>(1)),
        continuous_(mirror<float>(int(group.continuous.size()))),
        discrete_(mirror<std::int32_t>(int(group.discrete.size()))) {
    if (on_device()) SHOAL_CUDA_CHECK(cudaDeviceSynchronize());  // zeros are there for any stream
    use_stream(stream);
  }

  void reset() {
    sim->reset(output());
    fetch();
  }

  void observe() {
    sim->observe(output());
    fetch();
  }

  void step(Play play, int t) {
    choose(play, t);
    step_again();
    fetch();
  }

  /// Writes the actions of step t. Some lie on the edges of a head's range and beyond; `ties`: all agents act alike.
  void choose(Play play, int t) {
    std::size_t c = 0, d = 0, mask = 0;
    for (int i = 0; i < instances; ++i)
      for (int agent = 0; agent < group.agents; ++agent) {
        Random const random{7, std::uint32_t(i), play == Play::ties ? 0 : std::uint32_t(agent), std::uint32_t(t)};
        std::uint32_t head_index = 0;
        for (auto const& head : group.continuous) {
          float const u = clamp(random.draw(Purpose::test, head_index++).unit(0) * 1.5f - 0.25f, -0.125f, 1.125f);
          continuous_.host[c++] = head.low + (head.high - head.low) * u;
        }
        for (auto const& head : group.discrete) {
          auto choice = std::int32_t(random.draw(Purpose::test, head_index++).w[0] % std::uint32_t(head.choices));
          while (choice > 0 && !masks.host[mask + std::size_t(choice)]) --choice;
          discrete_.host[d++] = choice;
          mask += std::size_t(head.choices);
        }
      }
    continuous_.to_device(stream_), discrete_.to_device(stream_);
  }

  /// A step with the actions that are there; copies nothing to or from the host.
  void step_again() { sim->step(input(), output()); }

  /// Brings the host's copies of the outputs up to date.
  void fetch() {
    observations.to_host(stream_), final_observations.to_host(stream_), masks.to_host(stream_);
    alive.to_host(stream_), ended.to_host(stream_), rewards.to_host(stream_);
    sim->synchronize();
  }

  void use_stream(cudaStream_t stream) {
    sim->set_stream(stream);
    stream_ = stream;
  }

  std::unique_ptr<Simulator> sim;
  Group const& group;
  int instances;
  Mirror<float> observations, final_observations;
  Mirror<std::uint8_t> masks, alive, ended;
  Mirror<float> rewards;

 private:
  bool on_device() const { return sim->options().device == Device::cuda; }

  template <class T>
  Mirror<T> mirror(int width) const {
    return Mirror<T>(std::size_t(instances) * std::size_t(group.agents) * std::size_t(width), on_device());
  }

  template <class T>
  View<T, 3> rows(Mirror<T>& array) const {
    auto const width = std::int64_t(array.host.size()) / instances / group.agents;
    return view(array.data(), instances, group.agents, width);
  }

  StepInput input() { return {.continuous = rows(continuous_), .discrete = rows(discrete_)}; }
  StepOutput output() {
    return {.observations = rows(observations),
            .masks = rows(masks),
            .alive = view(alive.data(), instances, group.agents),
            .rewards = view(rewards.data(), instances, group.agents),
            .ended = view(ended.data(), instances, group.agents),
            .final_observations = rows(final_observations)};
  }

  Mirror<float> continuous_;
  Mirror<std::int32_t> discrete_;
  cudaStream_t stream_ = nullptr;
};

inline std::string difference(DevicePlayer const& a, DevicePlayer const& b) {
  auto const compare = [&](char const* name, auto const& x, auto const& y) {
    return difference(name, x.host, y.host, a.instances, a.group.agents);
  };
  for (auto const& found :
       {compare("rewards", a.rewards, b.rewards), compare("ended", a.ended, b.ended),
        compare("observations", a.observations, b.observations), compare("masks", a.masks, b.masks),
        compare("alive", a.alive, b.alive), compare("final observations", a.final_observations, b.final_observations)})
    if (!found.empty()) return found;
  return {};
}

inline std::string metrics_difference(DevicePlayer const& a, DevicePlayer const& b) {
  auto const x = a.sim->metrics(), y = b.sim->metrics();
  auto const episodes = difference("episodes", to_host(x.episodes), to_host(y.episodes), a.instances, 1);
  return episodes.empty() ? difference("metrics", to_host(x.sums), to_host(y.sums), a.instances, 1) : episodes;
}

/// Of everything that the last step wrote.
inline std::uint64_t output_hash(DevicePlayer const& a) {
  TrajectoryHash hash;
  for (float const x : a.rewards.host) hash.add(x);
  for (float const x : a.observations.host) hash.add(x);
  for (auto const x : a.ended.host) hash.add(std::uint32_t(x));
  for (auto const x : a.masks.host) hash.add(std::uint32_t(x));
  for (auto const x : a.alive.host) hash.add(std::uint32_t(x));
  return hash.value();
}

/// Resets both and plays `steps` steps, comparing every output and at the end the metrics.
inline void expect_same_play(DevicePlayer& a, DevicePlayer& b, Play play, int steps) {
  a.reset(), b.reset();
  ASSERT_EQ(difference(a, b), "") << "after the reset";
  for (int t = 0; t < steps; ++t) {
    a.step(play, t), b.step(play, t);
    ASSERT_EQ(difference(a, b), "") << "step " << t;
    ASSERT_EQ(output_hash(a), output_hash(b)) << "step " << t;
  }
  EXPECT_EQ(metrics_difference(a, b), "");
}

}  // namespace shoal
