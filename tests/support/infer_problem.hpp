// Networks and observations that the kernels of inference are tested with, on the CPU and on CUDA.
#pragma once

#include "shoal/ops/infer_tf32.hpp"
#include "support/emulated_warp.hpp"
#include "support/helpers.hpp"

namespace shoal::test {

inline NetworkShape normal_policy(int inputs, std::vector<int> hidden, int outputs) {
  return {.inputs = inputs, .hidden = std::move(hidden), .actions = heads(outputs, {})};
}

/// Widths that are multiples of the tiles and that are not; no hidden layer; all that registers and shared memory hold.
inline std::vector<NetworkShape> infer_shapes() {
  return {normal_policy(21, {64, 64}, 3), normal_policy(3, {8}, 2),     normal_policy(23, {64}, 23),
          normal_policy(5, {}, 4),        normal_policy(1, {7, 17}, 1), normal_policy(21, {128}, 3)};
}
/// Split in two it is more than shared memory holds; in f32 it fits.
inline NetworkShape wide_shape() { return normal_policy(21, {128, 128}, 3); }

struct InferProblem {
  ActorCritic network;
  at::Tensor observations, distribution, values;

  InferProblem(NetworkShape const& s, std::int64_t rows, at::Device device = at::kCPU)
      : network(s, 1, device),
        observations(random_normal({rows, s.inputs}, 3).to(device)),
        distribution(at::empty({rows, s.actions.parameters()}, observations.options())),
        values(at::empty({rows}, observations.options())) {
    network.parameters().add_((random_normal(network.parameters().sizes(), 2) * 0.2).to(device));
    forget();
  }
  void forget() const {
    distribution.fill_(NAN);
    values.fill_(NAN);
  }
  InferArgs args() const { return infer_args(network, observations, distribution, values); }
  /// Root mean square of the errors against f64 with the exact tanh, over distribution and values.
  double error() const {
    PlainNetwork const plain(network.shape(), network.parameters().detach().to(at::kCPU, at::kDouble));
    auto const x = observations.to(at::kCPU, at::kDouble);
    auto const exact = at::cat({plain.distribution(x).flatten(), plain.value(x)});
    return (outputs() - exact).square().mean().sqrt().item<double>();
  }
  at::Tensor outputs() const { return at::cat({distribution.flatten(), values}).to(at::kCPU, at::kDouble); }
};

/// args are of the CPU. By infer_tf32.hpp and a warp on the CPU.
template <class Team = SerialTeam>
void infer_emulated(InferArgs const& args, Team team = {}) {
  std::vector<tf32::Weights> weights(std::size_t(tf32::memory(args)), {{NAN, NAN}, {NAN, NAN}});
  tf32::load(team, args, weights.data());
  bool const narrow = tf32::most_tiles(args) <= 8;
  for (std::int64_t first = 0; first < args.rows; first += tf32::rows)
    narrow ? tf32::infer<8>(EmulatedWarp{}, args, weights.data(), first)
           : tf32::infer<16>(EmulatedWarp{}, args, weights.data(), first);
}

/// The same by infer.hpp.
inline void infer_in_f32(InferArgs const& args) {
  std::vector<float> memory(std::size_t(args.memory()));
  infer_begin(SerialTeam{}, args, memory.data());
  for (std::int64_t tile = 0; tile * InferArgs::rows_of_tile < args.rows; ++tile)
    infer_tile(SerialTeam{}, args, memory.data(), tile);
}

}  // namespace shoal::test
