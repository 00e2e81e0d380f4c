// What an environment tells about itself: agents, observations, action heads, types, supertypes and metrics.
// Every shape in shoal derives from it.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace shoal {

/// One real action in [low, high]. Policies may emit values outside; the environment clamps them.
struct ContinuousHead {
  std::string name;
  float low, high;
};

/// One choice among `choices` alternatives, numbered from 0.
struct DiscreteHead {
  std::string name;
  int choices;
};

/// One number that a calibrator may move, within [low, high].
struct Coordinate {
  std::string name;
  float low, high, initial;
};

/// Parameters of the distribution that agents of this supertype draw their types from (CALSHEQ section 2: Lambda_i).
struct Supertype {
  std::string name;
  std::vector<Coordinate> coordinates;
};

/// Agents with the same spaces. They are numbered from 0 within the group, and in the order of the groups in an
/// instance.
struct Group {
  std::string name = "agents";
  int agents = 0;
  int observation = 0;  // an agent's own observation, reals
  int type = 0;         // an agent's type lambda_i, reals; 0: none
  std::vector<ContinuousHead> continuous = {};
  std::vector<DiscreteHead> discrete = {};
  bool masked = false;  // observe() writes which choices of the discrete heads are legal

  /// All discrete heads' choices side by side: the width of a mask row.
  int choices() const {
    int n = 0;
    for (auto const& head : discrete) n += head.choices;
    return n;
  }
};

struct Spec {
  std::vector<Group> groups = {};
  int state = 0;              // reals of the global state, which critics may observe; 0: none
  bool may_truncate = false;  // episodes can end without a terminal state
  bool may_die = false;       // agents can leave an episode before its end; set by spec_of(), not by environments
  bool may_abstain = false;   // an agent can do nothing and then earns exactly 0, whatever the others do
  int max_episode_steps = 0;  // the longest episode
  std::vector<Supertype> supertypes = {};
  std::vector<int> supertype_of = {};  // of each agent
  /// Of an episode; shoal adds NAME.return for each supertype, and episode_length.
  std::vector<std::string> metrics = {};

  /// Agents of an instance, of all groups.
  int agents() const { return first_agent(int(groups.size())); }
  /// The number, in the instance, of the group's agent 0.
  int first_agent(int group) const {
    int n = 0;
    for (int g = 0; g < group; ++g) n += groups[std::size_t(g)].agents;
    return n;
  }
  /// The longest supertype: the last extent of the supertype buffer [instance, supertype, coordinate].
  int coordinates() const {
    int n = 0;
    for (auto const& s : supertypes) n = std::max(n, int(s.coordinates.size()));
    return n;
  }
};

}  // namespace shoal
