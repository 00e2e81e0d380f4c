// What an environment must provide: one struct with plain types and static functions, the same source for CPU and CUDA.
//
//   struct MyGame {
//     static constexpr char const* name = "my_game";
//     static constexpr char const* summary = "one line";
//     static constexpr int lanes = 8;                    // that work on one instance on CUDA: a power of two up to 32
//     struct Params {...};                               // per run; trivially copyable; has fields() (settings.hpp)
//     struct State {...};                                // per instance; trivially copyable
//     struct Scratch {...};                              // a step's working memory, shared by the lanes; not kept
//     static void prepare(Params& p);                    // derived constants; throws InputError on inconsistent ones
//     static Spec spec(Params const& p);
//     static void reset(Team, Params const&, State&, Scratch&, Supertypes, Random);
//     static Ended step(Team, Params const&, State&, Scratch&, Actions, Rewards, Random);
//     static void observe(Team, Params const&, State const&, Observation);
//     static void metrics(Team, Params const&, State const&, Scratch&, Metrics);
//   };
//
// Optional:
//     static constexpr int groups = 2;                            // see "Groups"; without it 1
//     static bool alive(Params const&, State const&, int agent);  // whether it acts in the next step; without: all
//     static void observe_state(Team, Params const&, State const&, GlobalState);  // Spec::state reals, for critics
//     static constexpr bool writes_every_cell = true;             // see "Rows"
//     static Settings with_agents(int n);    // that give n agents; throws InputError for none. Without: a fixed number
//     static void preset(Params& p);         // the defaults that p.profile names, where parameters have a `profile`
//     using Smaller = ...;                   // itself with less room in State, taken where Smaller::fits(params)
//     static void draw(Params const&, State const&, Drawing&);    // what a person sees of it (drawing.hpp); host only
//     static void heuristic(Params const&, int agent, Seen, Chosen, Words);  // see "Heuristic"
//
// State may be written in each() and once() only. step() returns the same value on every lane; the caller resets and
// counts.
//
// observe_state() writes all that says how the instance stands, for critics that see more than their agents do. It is
// called right after observe().
//
// Rows. Rewards, Observation::own and Observation::type are 0 before the environment writes them, masks 1. Who writes
// every cell of the first three, in every call, says so with writes_every_cell and does not pay for the zeros. A mask
// of 0 is an error where the group's `masked` is false: learners pass it over.
//
// Groups. Agents with other observations or actions than the rest form a group of their own: spec() lists as many
// groups as the constant says, in the order of the agents. What belongs to the agents of one group then comes once for
// each: step() takes PerGroup<Actions, groups> and PerGroup<Rewards, groups>, observe() takes PerGroup<Observation,
// groups>, and their rows are numbered within the group. Everywhere else agents are numbered through all groups.
//
// Life. An agent that dies does not act again before the next episode. Its last action is that of the step in which it
// dies: it gets that step's reward, and its row of `ended` is terminated (StepOutput). After that its reward is 0, its
// observations are 0 and its masks 1, whatever the environment writes; its actions are to be ignored. Nobody comes back
// to life within an episode, every episode begins with a living agent, and step() ends it with the last one at the
// latest. alive() is called on all lanes, outside reset(), step(), observe() and metrics().
//
// Heuristic. What a scripted agent does (policy.algorithm = "heuristic"): a function of what it observes, and of four
// random words that no other agent and no other step has. It writes a value for every head of its group, choices that
// the masks allow. Agents are numbered through all groups. It is called for the dead too, who observe zeros.
//
// Random comes keyed by (seed, instance, episode, step); the environment adds purpose and index. random.step counts
// from 0 within an episode, so reset() and the first step() draw from the same place: they must differ in purpose or
// index. Two draws with one key are equal: none is drawn twice, unless other words of it are used.
//
// metrics() is called once, after the last step and before the next reset(). It is not told how many steps there were:
// who needs the number counts in State, as the market does. episode_length is recorded for every environment.
//
// Limits (WithinLimits): max_metrics metrics, those that shoal adds included; max_params_bytes of Params,
// max_scratch_bytes of Scratch, which has no initialisers; max_groups groups; lanes as above.
// `shoal verify` and tests/env/draw_keys_test.cpp examine what the compiler cannot see.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "shoal/core/error.hpp"
#include "shoal/core/random.hpp"
#include "shoal/core/settings.hpp"
#include "shoal/core/team.hpp"
#include "shoal/core/view.hpp"
#include "shoal/env/groups.hpp"
#include "shoal/env/spec.hpp"

namespace shoal {

/// How a step ended; the values are the bits of the rollout's `ended`.
enum class Ended : std::uint8_t { no = 0, terminated = 1, truncated = 2 };

/// The joint action of one instance's agents.
struct Actions {
  View<float const, 2> continuous;       // [agents, continuous heads]
  View<std::int32_t const, 2> discrete;  // [agents, discrete heads]
};

/// Where one instance's observations go.
struct Observation {
  View<float, 2> own;           // [agents, Group::observation]; preset to 0
  View<float, 2> type;          // [agents, Group::type], or empty; preset to 0
  View<std::uint8_t, 2> masks;  // [agents, Group::choices()], 1 = legal, or empty; preset to 1
};

using GlobalState = View<float, 1>;  // [Spec::state]; preset to 0

/// One agent's row of observations, as the heuristic sees it.
struct Seen {
  float const* own;           // [Group::observation]
  float const* type;          // [Group::type]; null: not observed
  std::uint8_t const* masks;  // [Group::choices()], 1 = legal; null: all legal
};

/// Where the heuristic writes what the agent does.
struct Chosen {
  float* continuous;       // [continuous heads]
  std::int32_t* discrete;  // [discrete heads]
};

using Supertypes = View<float const, 2>;  // [supertype, coordinate] of one instance
using Rewards = View<float, 1>;           // [agents]; preset to 0
using Metrics = View<float, 1>;           // [spec.metrics]

/// The most metrics that an environment may have, those that shoal adds included. The market of 16 supertypes has 353.
inline constexpr int max_metrics = 384;
/// Of Params: a kernel's parameters are limited to 32,764 bytes, of which the batch's pointers take less than 1,020,
/// and those of each further group less than 512.
inline constexpr std::size_t max_params_bytes = 31 << 10, further_group_bytes = 512;
/// Of Scratch: the shared memory that a block of threads gets without asking.
inline constexpr std::size_t max_scratch_bytes = 48 << 10;

/// Groups of agents with spaces of their own: a kernel's parameters have room for so many.
inline constexpr int max_groups = 8;

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

/// The groups of agents with spaces of their own.
template <class Env>
constexpr int groups_of() {
  if constexpr (requires { Env::groups; })
    return Env::groups;
  else
    return 1;
}

namespace detail {

/// What the functions of an environment take: T, or one for each of several groups.
template <class Env, class T>
using Given = std::conditional_t<groups_of<Env>() == 1, T, PerGroup<T, groups_of<Env>()>>;

}  // namespace detail

/// Agents can leave an episode before its end.
template <class Env>
concept MayDie = requires(typename Env::Params const& p, typename Env::State const& s) {
  { Env::alive(p, s, 0) } -> std::same_as<bool>;
};

/// An `alive` with other arguments or another result would otherwise be passed over.
template <class Env>
concept AliveFits = MayDie<Env> || !requires {
  &Env::alive;
};

/// What the CUDA backend has room for.
template <class Env>
concept WithinLimits =
    (sizeof(typename Env::Params) + (groups_of<Env>() - 1) * further_group_bytes <= max_params_bytes) &&
    (sizeof(typename Env::Scratch) <= max_scratch_bytes) &&
    std::is_trivially_default_constructible_v<typename Env::Scratch>&& std::has_single_bit(unsigned(Env::lanes)) &&
    (Env::lanes <= 32) && (groups_of<Env>() >= 1) && (groups_of<Env>() <= max_groups);

template <class Env, class Team>
concept Resets = requires(Team team, typename Env::Params const& p, typename Env::State& s, typename Env::Scratch& w) {
  { Env::reset(team, p, s, w, Supertypes{}, Random{}) } -> std::same_as<void>;
};

template <class Env, class Team>
concept Steps = requires(Team team, typename Env::Params const& p, typename Env::State& s, typename Env::Scratch& w) {
  {
    Env::step(team, p, s, w, detail::Given<Env, Actions>{}, detail::Given<Env, Rewards>{}, Random{})
    } -> std::same_as<Ended>;
};

template <class Env, class Team>
concept Observes = requires(Team team, typename Env::Params const& p, typename Env::State const& s) {
  { Env::observe(team, p, s, detail::Given<Env, Observation>{}) } -> std::same_as<void>;
};

template <class Env, class Team>
concept Measures = requires(Team team, typename Env::Params const& p, typename Env::State const& s,
                            typename Env::Scratch& w) {
  { Env::metrics(team, p, s, w, Metrics{}) } -> std::same_as<void>;
};

/// Env has a global state.
template <class Env, class Team = SerialTeam>
concept HasState = requires(Team team, typename Env::Params const& p, typename Env::State const& s) {
  { Env::observe_state(team, p, s, GlobalState{}) } -> std::same_as<void>;
};

template <class Env>
concept HasHeuristic = requires(typename Env::Params const& p) {
  { Env::heuristic(p, 0, Seen{}, Chosen{}, Words{}) } -> std::same_as<void>;
};

/// A `heuristic` with other arguments would otherwise be passed over.
template <class Env>
concept HeuristicFits = HasHeuristic<Env> || !requires {
  &Env::heuristic;
};

struct Drawing;

template <class Env>
concept Draws = requires(typename Env::Params const& p, typename Env::State const& s, Drawing& d) {
  {Env::draw(p, s, d)};
};

/// The whole contract, for one kind of team. Checked where an environment meets a backend.
template <class Env, class Team = SerialTeam>
concept Environment = PlainData<typename Env::Params> && PlainData<typename Env::State> &&
    PlainData<typename Env::Scratch> && DescribesItself<Env> && AliveFits<Env> && HeuristicFits<Env> &&
    WithinLimits<Env> && Resets<Env, Team> && Steps<Env, Team> && Observes<Env, Team> && Measures<Env, Team>;

/// What Env tells about itself, and what follows from its functions. Everything but the environment itself asks here.
template <class Env>
Spec spec_of(typename Env::Params const& params) {
  Spec spec = Env::spec(params);
  spec.may_die = MayDie<Env>;
  if ((spec.state > 0) != HasState<Env>)
    throw Error(std::string(Env::name) + ": spec().state is " + std::to_string(spec.state) + ", and there is " +
                (HasState<Env> ? "an" : "no") + " observe_state()");
  return spec;
}

}  // namespace shoal
