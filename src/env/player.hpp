// Plays a simulator's episodes with random legal actions, in memory that shows what was written where.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "shoal/env/simulator.hpp"

namespace shoal {

/// Rows of an array [instances, agents, width] with elements between them that nobody may write.
template <class T>
class GuardedRows {
 public:
  static constexpr int gap = 3;  // elements behind each row; an instance has a row more than agents

  GuardedRows(int instances, int agents, int width)
      : rows_{nullptr, {instances, agents, width}, {(agents + 1) * std::int64_t(width + gap), width + gap, 1}},
        memory_(std::size_t((1 + instances * (agents + 1)) * std::int64_t(width + gap))) {
    std::memset(memory_.data(), guard, memory_.size() * sizeof(T));
    rows_.data = memory_.data() + width + gap;
  }

  /// Moves leave the address as it is.
  View<T, 3> const& rows() const { return rows_; }
  View<T, 2> column() const {
    return {rows_.data, {rows_.extents[0], rows_.extents[1]}, {rows_.strides[0], rows_.strides[1]}};
  }

  void fill(unsigned char byte) {
    for (int i = 0; i < rows_.extents[0]; ++i)
      for (int a = 0; a < rows_.extents[1]; ++a)
        std::memset(&rows_(i, a, 0), byte, std::size_t(rows_.extents[2]) * sizeof(T));
  }

  /// Where something was written beside the rows: "instance 0, behind agent 1"; empty: nowhere.
  std::string written_beside() const {
    T untouched;
    std::memset(&untouched, guard, sizeof untouched);
    for (std::size_t k = 0; k < memory_.size(); ++k) {
      if (std::memcmp(&memory_[k], &untouched, sizeof untouched) == 0) continue;
      auto const row = std::int64_t(k) / rows_.strides[1] - 1, column = std::int64_t(k) % rows_.strides[1];
      auto const agents = rows_.extents[1], instance = row / (agents + 1), agent = row % (agents + 1);
      if (row < 0) return "before the first row";
      if (agent == agents || column >= rows_.extents[2])
        return "instance " + std::to_string(instance) + ", behind agent " +
               std::to_string(std::min(agent, agents - 1)) + " of the group";
    }
    return {};
  }

 private:
  static constexpr unsigned char guard = 0xb7;
  View<T, 3> rows_;
  std::vector<T> memory_;
};

/// Which outputs are asked for beside those that every step writes.
enum class Outputs { all, required };

class Player {
 public:
  explicit Player(std::unique_ptr<Simulator> simulator, Outputs outputs = Outputs::all);

  Simulator& operator*() const { return *simulator_; }
  Simulator* operator->() const { return simulator_.get(); }
  Spec const& spec() const { return simulator_->spec(); }
  int instances() const { return simulator_->options().instances; }
  Group const& group(int g) const { return spec().groups[std::size_t(g)]; }
  int groups() const { return int(spec().groups.size()); }

  /// Outputs are filled with this byte before each call.
  unsigned char poison = 0x5a;

  void reset();
  /// Random actions, the same for an instance's number and step in every player.
  void step();
  /// Chooses what step() would.
  void choose();
  /// With the actions that are there.
  void act();
  /// With those of another player, of the same shapes.
  void act(std::vector<StepInput> const& actions);

  float& continuous(int g, int i, int agent, std::size_t head) { return reals_[std::size_t(g)].rows()(i, agent, head); }
  std::int32_t& discrete(int g, int i, int agent, std::size_t head) {
    return picks_[std::size_t(g)].rows()(i, agent, head);
  }

  /// Whether the last step ended the instance's episode; a death alone does not.
  bool ended(int i) const;
  /// Episodes of the instance that have ended since the first reset().
  int episodes(int i) const { return episodes_[std::size_t(i)]; }
  /// Whether the agent could act in the last step, by its number in the instance.
  bool acted(int i, int agent) const { return acted_[std::size_t(i * spec().agents() + agent)] != 0; }
  /// Whether it can act in the next.
  bool alive(int i, int agent) const;

  /// Of all buffers; empty: nothing was written beside them.
  std::string written_beside() const;

  int steps = 0;  // since the last reset()
  std::vector<StepInput> in;
  std::vector<StepOutput> out;

 private:
  void fill();

  std::unique_ptr<Simulator> simulator_;
  std::vector<GuardedRows<float>> reals_, observations_, finals_, rewards_;
  std::vector<GuardedRows<std::int32_t>> picks_;
  std::vector<GuardedRows<std::uint8_t>> masks_, alive_, ended_;
  std::vector<std::uint8_t> acted_;
  std::vector<int> episodes_;
};

/// "instance 0, step 3, agent 1", in the player's last step; agents are numbered through all groups.
std::string place(Player const& player, int instance, int g, int agent);

/// Calls f(group, agent in the group) for every agent of an instance until it returns a text; returns that.
std::string for_each_agent(Player const& player, std::function<std::string(int g, int agent)> const& f);

/// What the last reset or step showed of instance i of `a` and j of `b` and is not the same bits, as "PLACE, reward: 1
/// here, 2 there"; empty: nothing.
std::string difference(Player const& a, int i, Player const& b, int j);

/// Resets both and plays them side by side. @return the first difference of `count` instances, from `first_a` and
/// `first_b` on
std::string difference_of_play(Player& a, int first_a, Player& b, int first_b, int count, int steps);

}  // namespace shoal
