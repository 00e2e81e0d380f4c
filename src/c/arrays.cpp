#include "c/arrays.hpp"

#include <fmt/ranges.h>

#include <array>
#include <cstdint>
#include <span>
#include <type_traits>

#include "c/call.hpp"
#include "shoal/core/view.hpp"

namespace shoal::c {

namespace {

constexpr std::array names{
    "continuous actions", "discrete actions", "observations", "masks",          "alive", "rewards", "ended",
    "final observations", "supertypes",       "metric sums",  "metric episodes"};
constexpr std::array types{"f32", "i32", "u8"};
constexpr std::array devices{"cpu", "cuda"};

/// Arrays of the simulator's own, which have no group and cannot be elsewhere.
bool is_lent(int array) { return array >= SHOAL_SUPERTYPES; }
bool is_read(int array) { return array == SHOAL_CONTINUOUS_ACTIONS || array == SHOAL_DISCRETE_ACTIONS; }

template <class T>
constexpr int type_of() {
  using Plain = std::remove_const_t<T>;
  static_assert(std::is_same_v<Plain, float> || std::is_same_v<Plain, std::int32_t> || sizeof(T) == 1);
  return std::is_same_v<Plain, float> ? SHOAL_F32 : std::is_same_v<Plain, std::int32_t> ? SHOAL_I32 : SHOAL_U8;
}

/// Calls f with the view of the array.
template <class F>
auto with_view(OpenSimulator& s, int array, std::size_t group, F f) {
  auto lent = [&](auto view) { return f(view); };
  switch (array) {
    case SHOAL_CONTINUOUS_ACTIONS: return f(s.inputs[group].continuous);
    case SHOAL_DISCRETE_ACTIONS: return f(s.inputs[group].discrete);
    case SHOAL_OBSERVATIONS: return f(s.outputs[group].observations);
    case SHOAL_MASKS: return f(s.outputs[group].masks);
    case SHOAL_ALIVE: return f(s.outputs[group].alive);
    case SHOAL_REWARDS: return f(s.outputs[group].rewards);
    case SHOAL_ENDED: return f(s.outputs[group].ended);
    case SHOAL_FINAL_OBSERVATIONS: return f(s.outputs[group].final_observations);
    case SHOAL_SUPERTYPES: return lent(s.simulator->supertypes());
    case SHOAL_METRIC_SUMS: return lent(s.simulator->metrics().sums);
    default: return lent(s.simulator->metrics().episodes);
  }
}

using Shape = std::array<std::int64_t, 3>;

Shape shape_of(Simulator const& s, int array, std::size_t g) {
  auto const& spec = s.spec();
  auto const& group = spec.groups[g];
  std::int64_t const n = s.options().instances, agents = group.agents;
  switch (array) {
    case SHOAL_CONTINUOUS_ACTIONS: return {n, agents, std::int64_t(group.continuous.size())};
    case SHOAL_DISCRETE_ACTIONS: return {n, agents, std::int64_t(group.discrete.size())};
    case SHOAL_OBSERVATIONS:
    case SHOAL_FINAL_OBSERVATIONS: return {n, agents, s.observation_width(int(g))};
    case SHOAL_MASKS: return {n, agents, group.choices()};
    case SHOAL_SUPERTYPES: return {n, std::int64_t(spec.supertypes.size()), spec.coordinates()};
    case SHOAL_METRIC_SUMS: return {n, std::int64_t(s.metric_names().size()), 0};
    case SHOAL_METRIC_EPISODES: return {n, 0, 0};
    default: return {n, agents, 0};
  }
}

template <class T, int Rank>
std::span<std::int64_t const> shape_of_view(View<T, Rank> const&, Shape const& shape) {
  return {shape.data(), std::size_t(Rank)};
}

/// The group's index. @throws InputError for what the simulator does not have
std::size_t checked_group(OpenSimulator const& s, int array, int group) {
  checked_index("array", array, names.size());
  auto const g = checked_index("group", group, is_lent(array) ? 1 : s.outputs.size());
  auto const shape = shape_of(*s.simulator, array, g);
  bool const has_rows = array == SHOAL_CONTINUOUS_ACTIONS || array == SHOAL_DISCRETE_ACTIONS || array == SHOAL_MASKS ||
                        array == SHOAL_SUPERTYPES;
  if (has_rows && shape[2] == 0)
    throw InputError(
        fmt::format("group \"{}\" has no {}", s.simulator->spec().groups[g].name, names[std::size_t(array)]));
  return g;
}

/// shoal's own memory of the array, made at the first call.
void* own_memory(OpenSimulator& s, int array, int group, std::size_t bytes) {
  auto& memory = s.own_arrays[{array, group}];
  if (!memory) memory = allocate(s.simulator->options().device, bytes);
  return memory.get();
}

template <class T, int Rank>
View<T, Rank> own_view(OpenSimulator& s, View<T, Rank> view, int array, int group, Shape const& shape) {
  std::int64_t stride = 1;
  for (int d = Rank - 1; d >= 0; --d) {
    view.extents[d] = shape[std::size_t(d)];
    view.strides[d] = stride;
    stride *= view.extents[d];
  }
  view.data = static_cast<T*>(own_memory(s, array, group, std::size_t(stride) * sizeof(T)));
  return view;
}

/// Whether no two elements share a place. With `rows`, that the last extent is contiguous too.
template <class T, int Rank>
void check_strides(View<T, Rank> const& view, bool rows) {
  std::array<int, Rank> order{};
  for (int d = 0; d < Rank; ++d) order[std::size_t(d)] = d;
  std::sort(order.begin(), order.end(), [&](int a, int b) { return view.strides[a] < view.strides[b]; });
  std::int64_t reach = 1;
  for (int const d : order) {
    if (view.extents[d] < 2) continue;
    if (view.strides[d] < reach)
      throw InputError(fmt::format("strides [{}]: two elements share a place", fmt::join(view.strides, ", ")));
    reach = view.strides[d] * view.extents[d];
  }
  if (rows && view.strides[Rank - 1] != 1 && view.extents[Rank - 1] > 1)
    throw InputError(fmt::format("the last extent has stride {}, expected 1", view.strides[Rank - 1]));
}

/// `in` as a view. @throws InputError unless it fits
template <class T, int Rank>
View<T, Rank> attached_view(OpenSimulator const& s, View<T, Rank> view, shoal_array const& in, int array,
                            Shape const& shape) {
  auto const expected = shape_of_view(view, shape);
  auto const device = int(s.simulator->options().device);
  auto const name_of = [](auto const& all, int i) {
    return std::size_t(i) < all.size() ? all[std::size_t(i)] : "unknown";
  };
  if (in.type != type_of<T>())
    throw InputError(fmt::format("type {}: expected {}", name_of(types, in.type), types[std::size_t(type_of<T>())]));
  if (in.device != device)
    throw InputError(fmt::format("device {}: expected {}", name_of(devices, in.device), devices[std::size_t(device)]));
  if (in.rank < 0 || in.rank > 3 || !std::equal(expected.begin(), expected.end(), in.shape, in.shape + in.rank))
    throw InputError(fmt::format("shape [{}]: expected [{}]",
                                 fmt::join(in.shape, in.shape + std::clamp(in.rank, 0, 3), ", "),
                                 fmt::join(expected, ", ")));
  if (!in.data) throw InputError("data is null");
  if (reinterpret_cast<std::uintptr_t>(in.data) % sizeof(T) != 0)
    throw InputError(fmt::format("data {} is not aligned to {} bytes", in.data, sizeof(T)));
  if (device == SHOAL_CUDA) check_cuda_memory(in.data, s.cuda_device);
  bool const contiguous = std::all_of(in.strides, in.strides + Rank, [](std::int64_t x) { return x == 0; });
  std::int64_t stride = 1;
  for (int d = Rank - 1; d >= 0; --d) {
    view.extents[d] = in.shape[d];
    view.strides[d] = contiguous ? stride : in.strides[d];
    stride *= in.shape[d];
  }
  if (!is_read(array)) check_strides(view, array == SHOAL_OBSERVATIONS || array == SHOAL_FINAL_OBSERVATIONS);
  view.data = static_cast<T*>(in.data);
  return view;
}

/// f(), whose errors begin with the array's name, and with the group's where there are several.
template <class F>
void naming(OpenSimulator const& s, int array, std::size_t group, F f) try {
  f();
} catch (InputError const& error) {
  auto const& groups = s.simulator->spec().groups;
  auto const of = groups.size() > 1 ? fmt::format(" of group \"{}\"", groups[group].name) : "";
  throw InputError(fmt::format("{}{}: {}", names[std::size_t(array)], of, error.what()));
}

void attach(OpenSimulator& s, int array, int group, shoal_array const* in) {
  auto const g = checked_group(s, array, group);
  if (is_lent(array))
    throw InputError(fmt::format("{} lie in the simulator's memory; expected one of the arrays before SHOAL_SUPERTYPES",
                                 names[std::size_t(array)]));
  auto const shape = shape_of(*s.simulator, array, g);
  naming(s, array, g, [&] {
    with_view(s, array, g, [&](auto& view) {
      view = in ? attached_view(s, view, *in, array, shape) : own_view(s, view, array, group, shape);
    });
  });
}

}  // namespace

shoal_array array_in_use(OpenSimulator& s, int array, int group) {
  auto const g = checked_group(s, array, group);
  return with_view(s, array, g, [&]<class T, int Rank>(View<T, Rank>& view) {
    if (!view.data) view = own_view(s, view, array, group, shape_of(*s.simulator, array, g));
    shoal_array out{.data = const_cast<std::remove_const_t<T>*>(view.data),
                    .type = type_of<T>(),
                    .device = int(s.simulator->options().device),
                    .rank = Rank,
                    .shape = {},
                    .strides = {}};
    std::copy_n(view.extents, Rank, out.shape);
    std::copy_n(view.strides, Rank, out.strides);
    return out;
  });
}

std::shared_ptr<void const> owner(OpenSimulator const& s, int array, int group, void const* data) {
  if (is_lent(array)) return s.simulator;
  auto const own = s.own_arrays.find({array, group});
  return own == s.own_arrays.end() || own->second.get() != data ? nullptr : own->second;
}

void make_outputs(OpenSimulator& s, bool for_step) {
  for (int g = 0; g < int(s.outputs.size()); ++g) {
    auto const& out = s.outputs[std::size_t(g)];
    if (!out.observations.data) array_in_use(s, SHOAL_OBSERVATIONS, g);
    if (for_step && !out.rewards.data) array_in_use(s, SHOAL_REWARDS, g);
    if (for_step && !out.ended.data) array_in_use(s, SHOAL_ENDED, g);
  }
}

void check_inputs(OpenSimulator const& s) {
  for (std::size_t g = 0; g < s.inputs.size(); ++g) {
    auto const& group = s.simulator->spec().groups[g];
    auto const check = [&](int array, bool missing) {
      if (missing)
        naming(s, array, g, [] {
          throw InputError("none; expected shoal_get_array() and values in it, or shoal_attach(), before a step");
        });
    };
    check(SHOAL_CONTINUOUS_ACTIONS, !group.continuous.empty() && !s.inputs[g].continuous.data);
    check(SHOAL_DISCRETE_ACTIONS, !group.discrete.empty() && !s.inputs[g].discrete.data);
  }
}

}  // namespace shoal::c

using namespace shoal::c;

shoal_status shoal_get_array(shoal_simulator* simulator, int32_t array, int32_t group, shoal_array* out, size_t size) {
  return guarded(__func__, [&] { fill(out, size, array_in_use(*Use(simulator), array, group)); });
}

shoal_status shoal_attach(shoal_simulator* simulator, int32_t array, int32_t group, shoal_array const* in,
                          size_t size) {
  return guarded(__func__, [&] {
    Use const use(simulator);
    if (!in) return attach(*use, array, group, nullptr);
    auto const copy = read(in, size);
    attach(*use, array, group, &copy);
  });
}
