// What must not change a trajectory: how many instances, threads and lanes there are, and where a state comes from.
#include <fmt/format.h>

#include <thread>
#include <vector>

#include "src/env/properties.hpp"

namespace shoal {

namespace {

constexpr int steps_to_compare = 60;

/// Plays with two options. @param what  differs, "with 1 instance here, 3 there"
std::string unlike(Subject const& subject, SimulatorOptions a, SimulatorOptions b, int first_a, int count,
                   std::string const& what) {
  a.observation.central_critic = b.observation.central_critic = has_state(subject);
  auto here = play(subject, a), there = play(subject, b);
  auto const text = difference_of_play(here, first_a, there, 0, count, some_steps(here.spec(), steps_to_compare));
  return text.empty() ? text : fmt::format("{}, {}", text, what);
}

}  // namespace

Finding instances_do_not_show(Subject const& subject) {
  SimulatorOptions const few{.instances = 3, .seed = 5}, many{.instances = 100, .seed = 5};
  auto text = unlike(subject, {.instances = 1, .seed = 5}, few, 0, 1, "with 1 instance here, 3 there");
  if (text.empty()) text = unlike(subject, few, many, 0, 3, "with 3 instances here, 100 there");
  return unless(text, "1, 3 and 100");
}

Finding ranges_join(Subject const& subject) {
  return unless(unlike(subject, {.instances = 5, .seed = 5}, {.instances = 2, .seed = 5, .first_instance = 3}, 3, 2,
                       "of 5 instances here, with first_instance = 3 there"));
}

/// With an executor too: a simulator's own pool leaves small batches to one thread.
Finding threads_do_not_show(Subject const& subject) {
  Executor const on_threads = [](int shares, std::function<void(int)> const& job) {
    std::vector<std::jthread> threads;
    for (int s = 0; s < shares; ++s) threads.emplace_back([&job, s] { job(s); });
  };
  for (auto const& executor : {Executor{}, on_threads})
    for (int const threads : {2, 3, 8})
      if (auto const text = unlike(subject, {.instances = 24, .seed = 5},
                                   {.instances = 24, .seed = 5, .threads = threads, .executor = executor}, 0, 24,
                                   fmt::format("with one thread here, {} there", threads));
          !text.empty())
        return {false, text};
  return {true, "1, 2, 3 and 8"};
}

Finding lane_order_does_not_show(Subject const& subject) {
  for (int const lanes : {2, 7, 32, 64})
    if (auto const text = unlike(subject, {.instances = 16, .seed = 5},
                                 {.instances = 16, .seed = 5, .team = fmt::format("scrambled:{}", lanes)}, 0, 16,
                                 fmt::format("in order here, as {} lanes may come there", lanes));
        !text.empty())
      return {false, text};
  return {true, "2, 7, 32 and 64 scrambled lanes"};
}

/// In the middle of an episode, with a profile of its own, to the same place in another simulator.
Finding states_can_be_moved(Subject const& subject) {
  constexpr int count = 3;
  auto a = play(subject, {.instances = count, .seed = 4}), b = play(subject, {.instances = 5, .seed = 4});
  auto const& spec = a.spec();
  auto const profile = a->supertypes();
  for (std::size_t s = 0; s < spec.supertypes.size(); ++s)
    for (std::size_t c = 0; c < spec.supertypes[s].coordinates.size(); ++c)
      for (int i = 0; i < count; ++i)
        profile(i, s, c) = (profile(i, s, c) + spec.supertypes[s].coordinates[c].high) / 2;
  a.reset(), b.reset();
  for (int t = 0; t < 8; ++t) a.step();
  for (int t = 0; t < 3; ++t) b.step();
  std::vector<std::byte> moved(a->state_size()), again(a->state_size());
  for (int i = 0; i < count; ++i) {
    a->export_state(i, moved);
    b->import_state(i, moved);
    b->export_state(i, again);
    if (moved != again) return {false, fmt::format("instance {}: another state is exported than was imported", i)};
  }
  b->observe(b.out);
  b.steps = a.steps;
  for (int t = 0; t < some_steps(spec, steps_to_compare); ++t) {
    a.step(), b.step();
    for (int i = 0; i < count; ++i)
      if (auto const text = difference(a, i, b, i); !text.empty())
        return {false, fmt::format("{}, where the state was imported at step 8", text)};
  }
  return {true, fmt::format("{} bytes an instance", moved.size())};
}

}  // namespace shoal
