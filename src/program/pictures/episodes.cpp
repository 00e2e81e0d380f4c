#include "program/pictures/episodes.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <vector>

#include "analysis/population.hpp"
#include "shoal/data/uniform_actions.hpp"
#include "shoal/ops/ops.hpp"

namespace shoal {

namespace {

template <class T>
std::vector<T> row_of(at::Tensor const& slots) {
  auto const row = slots.flatten().contiguous();
  return {row.data_ptr<T>(), row.data_ptr<T>() + row.numel()};
}

/// How the episode ended, from the agents' rows (StepOutput): it goes on where one is 0, and is truncated where any is.
Ended end_of(std::vector<std::uint8_t> const& ended) {
  auto const has = [&](int bits) { return std::find(ended.begin(), ended.end(), bits) != ended.end(); };
  if (has(0)) return Ended::no;
  return std::any_of(ended.begin(), ended.end(), [](int bits) { return bits & int(Ended::truncated); })
             ? Ended::truncated
             : Ended::terminated;
}

/// One instance, and its actions.
class Play {
 public:
  Play(FrozenGame const& game, std::uint32_t seed) : population_(game, 1, seed), device_(game.device) {
    if (!game.policies.empty()) return;
    for (int g = 0; g < int(population_.slots().size()); ++g)
      uniform_.push_back(uniform_actions(population_.slot(g), group_seed(seed, g), 0, 0));
  }

  Frame begin(int episode) const {
    std::vector<float> const nothing(std::size_t(population_.spec().agents()));
    return {.episode = episode, .rewards = nothing, .returns = nothing, .drawing = population_.simulator().draw(0)};
  }

  /// From the frame before.
  void step(Frame& frame) {
    for (auto& uniform : uniform_) {
      uniform.random.step = std::uint32_t(tick_);
      ops::uniform(uniform, device_);
    }
    population_.act(tick_);
    ++tick_;
    frame.drawing = population_.simulator().draw_after(0, inputs(population_.slots(), 0));
    population_.step();
    ++frame.step;
    frame.rewards = row_of<float>(population_.rewards());
    for (std::size_t i = 0; i < frame.rewards.size(); ++i) frame.returns[i] += frame.rewards[i];
    frame.ended = end_of(row_of<std::uint8_t>(all_agents(population_.slots(), &Rollout::ended, 0)));
  }

 private:
  Population population_;
  at::Device device_;
  std::vector<UniformArgs> uniform_;  // of each group, without policies
  std::int64_t tick_ = 0;
};

}  // namespace

bool show_episodes(FrozenGame const& game, int episodes, std::uint32_t seed,
                   std::function<bool(Frame const&)> const& show) {
  at::NoGradGuard const no_grad;
  Play play(game, seed);
  for (int episode = 1; episode <= episodes; ++episode) {
    auto frame = play.begin(episode);
    if (!show(frame)) return false;
    while (frame.ended == Ended::no) {
      play.step(frame);
      if (!show(frame)) return false;
    }
  }
  return true;
}

}  // namespace shoal
