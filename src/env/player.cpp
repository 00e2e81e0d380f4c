#include "src/env/player.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "src/env/some_actions.hpp"

namespace shoal {

namespace {

constexpr std::uint32_t seed_of_actions = 99;

bool same(float a, float b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b); }
bool same(std::uint8_t a, std::uint8_t b) { return a == b; }

template <class T>
std::string unlike(T a, T b, char const* what, std::int64_t column) {
  if (same(a, b)) return {};
  auto const name = column < 0 ? std::string(what) : fmt::format("{} {}", what, column);
  return fmt::format("{}: {} here, {} there", name, a, b);
}

template <class T>
std::string unlike_rows(View<T, 1> const& a, View<T, 1> const& b, char const* what) {
  for (std::int64_t k = 0; k < std::min(a.extents[0], b.extents[0]); ++k)
    if (auto const text = unlike(a(k), b(k), what, k); !text.empty()) return text;
  return {};
}

/// Of one agent's rows.
std::string unlike_agent(StepOutput const& a, int i, StepOutput const& b, int j, int agent, bool stepped, bool ended) {
  std::string text;
  auto const add = [&](std::string const& next) {
    if (text.empty()) text = next;
  };
  if (stepped) {
    add(unlike(a.rewards(i, agent), b.rewards(j, agent), "reward", -1));
    add(unlike(a.ended(i, agent), b.ended(j, agent), "ended", -1));
  }
  if (ended && a.final_observations.data && b.final_observations.data)
    add(unlike_rows(a.final_observations(i, agent), b.final_observations(j, agent), "final observation"));
  add(unlike_rows(a.observations(i, agent), b.observations(j, agent), "observation"));
  if (a.masks.data && b.masks.data) add(unlike_rows(a.masks(i, agent), b.masks(j, agent), "mask"));
  if (a.alive.data && b.alive.data) add(unlike(a.alive(i, agent), b.alive(j, agent), "alive", -1));
  return text;
}

}  // namespace

Player::Player(std::unique_ptr<Simulator> simulator, Outputs outputs) : simulator_(std::move(simulator)) {
  int const n = instances();
  acted_.assign(std::size_t(n * spec().agents()), 1);
  episodes_.assign(std::size_t(n), 0);
  for (int g = 0; g < groups(); ++g) {
    auto const& own = group(g);
    int const width = simulator_->observation_width(g);
    reals_.emplace_back(n, own.agents, int(own.continuous.size()));
    picks_.emplace_back(n, own.agents, int(own.discrete.size()));
    observations_.emplace_back(n, own.agents, width);
    finals_.emplace_back(n, own.agents, width);
    masks_.emplace_back(n, own.agents, own.choices());
    rewards_.emplace_back(n, own.agents, 1);
    alive_.emplace_back(n, own.agents, 1);
    ended_.emplace_back(n, own.agents, 1);
    in.push_back({reals_.back().rows(), picks_.back().rows()});
    StepOutput rows{.observations = observations_.back().rows(),
                    .rewards = rewards_.back().column(),
                    .ended = ended_.back().column()};
    if (outputs == Outputs::all) {
      if (!own.discrete.empty()) rows.masks = masks_.back().rows();
      rows.alive = alive_.back().column();
      rows.final_observations = finals_.back().rows();
    }
    out.push_back(rows);
  }
}

void Player::fill() {
  for (auto* const all : {&observations_, &finals_, &rewards_})
    for (auto& rows : *all) rows.fill(poison);
  for (auto* const all : {&masks_, &alive_, &ended_})
    for (auto& rows : *all) rows.fill(poison);
}

void Player::reset() {
  fill();
  simulator_->reset(out);
  steps = 0;
}

void Player::step() {
  choose();
  act();
}

void Player::choose() {
  for (int g = 0; g < groups(); ++g)
    for (int i = 0; i < instances(); ++i)
      for (int a = 0; a < group(g).agents; ++a) {
        Random const random{seed_of_actions, simulator_->options().first_instance + std::uint32_t(i),
                            std::uint32_t(spec().first_agent(g) + a), std::uint32_t(steps)};
        for (std::size_t h = 0; h < group(g).continuous.size(); ++h)
          continuous(g, i, a, h) = some_real(group(g).continuous[h], random.draw(Purpose::test, std::uint32_t(h)));
        int first = 0;
        for (std::size_t h = 0; h < group(g).discrete.size(); ++h) {
          auto const& masks = out[std::size_t(g)].masks;
          int const choices = group(g).discrete[h].choices;
          discrete(g, i, a, h) = some_choice(masks.data ? &masks(i, a, first) : nullptr, choices,
                                             random.draw(Purpose::test, std::uint32_t(64 + h)));
          first += choices;
        }
      }
}

void Player::act() { act(in); }

void Player::act(std::vector<StepInput> const& actions) {
  for (int i = 0; i < instances(); ++i)
    for (int a = 0; a < spec().agents(); ++a) acted_[std::size_t(i * spec().agents() + a)] = alive(i, a);
  fill();
  simulator_->step(actions, out);
  ++steps;
  for (int i = 0; i < instances(); ++i) episodes_[std::size_t(i)] += ended(i);
}

bool Player::ended(int i) const {
  for (auto const& rows : out)
    for (int a = 0; a < rows.ended.extents[1]; ++a)
      if (rows.ended(i, a) == 0) return false;
  return steps > 0;
}

bool Player::alive(int i, int agent) const {
  int g = 0;
  while (agent >= spec().first_agent(g + 1)) ++g;
  auto const& rows = out[std::size_t(g)].alive;
  return !rows.data || rows(i, agent - spec().first_agent(g)) != 0;
}

std::string Player::written_beside() const {
  std::string text;
  auto const look = [&](char const* what, auto const& all) {
    for (int g = 0; g < int(all.size()) && text.empty(); ++g)
      if (auto const where = all[std::size_t(g)].written_beside(); !where.empty())
        text = fmt::format("{} of group \"{}\", {}", what, group(g).name, where);
  };
  look("observations", observations_), look("final observations", finals_), look("rewards", rewards_);
  look("masks", masks_), look("alive", alive_), look("ended", ended_);
  look("continuous actions", reals_), look("discrete actions", picks_);
  return text.empty() ? text : fmt::format("step {}: {}", steps, text);
}

std::string place(Player const& player, int instance, int g, int agent) {
  return fmt::format("instance {}, step {}, agent {}", instance, player.steps, player.spec().first_agent(g) + agent);
}

std::string for_each_agent(Player const& player, std::function<std::string(int, int)> const& f) {
  for (int g = 0; g < player.groups(); ++g)
    for (int a = 0; a < player.group(g).agents; ++a)
      if (auto const text = f(g, a); !text.empty()) return text;
  return {};
}

std::string difference(Player const& a, int i, Player const& b, int j) {
  return for_each_agent(a, [&](int g, int agent) {
    auto const text = unlike_agent(a.out[std::size_t(g)], i, b.out[std::size_t(g)], j, agent,
                                   a.steps > 0 && b.steps > 0, a.ended(i) && b.ended(j));
    return text.empty() ? text : fmt::format("{}, {}", place(a, i, g, agent), text);
  });
}

std::string difference_of_play(Player& a, int first_a, Player& b, int first_b, int count, int steps) {
  a.reset(), b.reset();
  for (int t = 0;; ++t) {
    for (int k = 0; k < count; ++k)
      if (auto const text = difference(a, first_a + k, b, first_b + k); !text.empty()) return text;
    if (t == steps) return {};
    a.step(), b.step();
  }
}

}  // namespace shoal
