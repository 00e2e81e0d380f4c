// What an environment must provide: one struct with plain types and static functions, the same source for CPU and CUDA.
//
//   struct MyGame {
//     static constexpr char const* name = "my_game";
//     static constexpr char const* summary = "one line";
//     static constexpr int lanes = 8;                    // lanes that work on one instance on CUDA: 1, 2, 4, 8, 16 or 32
//     struct Params {...};                               // per run; trivially copyable; lists its fields (settings.hpp)
//     struct State {...};                                // per instance; trivially copyable
//     struct Scratch {...};                              // a step's working memory, shared by the lanes; not kept
//     static void prepare(Params& p);                    // derived constants; throws InputError on inconsistent parameters
//     static Spec spec(Params const& p);
//     static void reset(Team, Params const&, State&, Scratch&, Supertypes, Random);
//     static Ended step(Team, Params const&, State&, Scratch&, Actions, Rewards, Random);
//     static void observe(Team, Params const&, State const&, Observation);
//     static void metrics(Team, Params const&, State const&, Scratch&, Metrics);
//   };
//
// Optional:
//     static Settings with_agents(int n);    // settings that give n agents; throws InputError for none. Without it the number is fixed
//     static void preset(Params& p);         // the defaults that p.profile names, where parameters have a `profile`
//     using Smaller = ...;                   // itself with less room in State, taken where Smaller::fits(params)
//
// State may be written in each() and once() only. step() returns the same value on every lane; the caller resets and counts. Every
// row of rewards, of Observation::own and of Observation::type is written whole, every time.
//
// Random comes keyed by (seed, instance, episode, step); the environment adds purpose and index. random.step counts from 0 within an
// episode, so reset() and the first step() draw from the same place: they must differ in purpose or index.
//
// Limits: max_metrics (batch.hpp) metrics; Scratch without initialisers and at most 48 kB, a block's shared memory; Params of 32 kB
// at most, a kernel's parameters.
#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>

#include "shoal/core/random.hpp"
#include "shoal/core/settings.hpp"
#include "shoal/core/team.hpp"
#include "shoal/core/view.hpp"
#include "shoal/env/spec.hpp"

namespace shoal {

/// How a step ended; the values are the bits of the rollout's `ended`.
enum class Ended : std::uint8_t { no = 0, terminated = 1, truncated = 2 };

/// The joint action of one instance.
struct Actions {
  View<float const, 2> continuous;       // [agents, continuous heads]
  View<std::int32_t const, 2> discrete;  // [agents, discrete heads]
};

/// Where one instance's observations go.
struct Observation {
  View<float, 2> own;           // [agents, spec.observation]
  View<float, 2> type;          // [agents, spec.type]
  View<std::uint8_t, 2> masks;  // [agents, spec.choices()], 1 = legal; preset to 1
};

using Supertypes = View<float const, 2>;  // [supertype, coordinate] of one instance
using Rewards = View<float, 1>;           // [agents]
using Metrics = View<float, 1>;           // [spec.metrics]

template <class T>
concept PlainData = std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T>;

template <class Env>
concept DescribesItself = requires(typename Env::Params& p, detail::Reader& reader) {
  { Env::name } -> std::convertible_to<char const*>;
  { Env::summary } -> std::convertible_to<char const*>;
  { Env::lanes } -> std::convertible_to<int>;
  {Env::prepare(p)};
  { Env::spec(p) } -> std::same_as<Spec>;
  {Env::Params::fields(reader, p)};
};

template <class Env, class Team>
concept Resets = requires(Team team, typename Env::Params const& p, typename Env::State& s, typename Env::Scratch& w) {
  { Env::reset(team, p, s, w, Supertypes{}, Random{}) } -> std::same_as<void>;
};

template <class Env, class Team>
concept Steps = requires(Team team, typename Env::Params const& p, typename Env::State& s, typename Env::Scratch& w) {
  { Env::step(team, p, s, w, Actions{}, Rewards{}, Random{}) } -> std::same_as<Ended>;
};

template <class Env, class Team>
concept Observes = requires(Team team, typename Env::Params const& p, typename Env::State const& s) {
  { Env::observe(team, p, s, Observation{}) } -> std::same_as<void>;
};

template <class Env, class Team>
concept Measures = requires(Team team, typename Env::Params const& p, typename Env::State const& s,
                            typename Env::Scratch& w) {
  { Env::metrics(team, p, s, w, Metrics{}) } -> std::same_as<void>;
};

/// The whole contract, for one kind of team. Checked where an environment meets a backend.
template <class Env, class Team = SerialTeam>
concept Environment =
    PlainData<typename Env::Params> && PlainData<typename Env::State> && PlainData<typename Env::Scratch> &&
    DescribesItself<Env> && Resets<Env, Team> && Steps<Env, Team> && Observes<Env, Team> && Measures<Env, Team>;

}  // namespace shoal
