#include "src/learn/fused_network.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <bit>

#include "shoal/learn/parallel.hpp"

namespace shoal {

namespace {

// A minibatch is summed in parts, and the parts in a fixed order: the result does not depend on the number of threads.
constexpr std::int64_t least_part_rows = 256;
constexpr int most_parts = 64;

int part_count(std::int64_t rows) {
  auto const parts = std::uint64_t(std::clamp<std::int64_t>(rows / least_part_rows, 1, most_parts));
  return int(std::bit_floor(parts));
}

DenseMlp dense_mlp(MlpLayout const& mlp) { return DenseMlp({mlp.widths, mlp.widths + mlp.layers + 1}); }

std::int64_t whole_lines(std::int64_t floats) { return (floats + 15) / 16 * 16; }

}  // namespace

FusedNetwork::FusedNetwork(NetworkShape const& shape)
    : places_(mlp_layouts(shape)),
      actor_(dense_mlp(places_.actor)),
      critic_(dense_mlp(places_.critic)),
      layout_(shape.actions),
      mean_limit_(float(shape.mean_limit)),
      restoring_(shape.restoring > 0 ? std::size_t(layout_.continuous * shape.inputs) : 0),
      part_size_(whole_lines(actor_.gradient_sums() + critic_.gradient_sums() + layout_.continuous +
                             std::int64_t(restoring_.size()) + 4)) {}

void FusedNetwork::use(at::Tensor const& parameters) {
  auto const version = std::int64_t(parameters._version());
  if (version == version_ && parameters.data_ptr() == storage_) return;
  float const* const all = parameters.data_ptr<float>();
  actor_.pack(all + places_.actor.begin);
  critic_.pack(all + places_.critic.begin);
  std::copy_n(all + parameters.numel() - std::int64_t(restoring_.size()), restoring_.size(), restoring_.data());
  version_ = version;
  storage_ = parameters.data_ptr();
}

void FusedNetwork::make_workers() {
  while (int(workers_.size()) < at::get_num_threads()) {
    workers_.push_back({.actor = actor_.workspace(),
                        .critic = critic_.workspace(),
                        .inputs = AlignedFloats(std::int64_t(DenseMlp::block) * actor_.inputs()),
                        .log_sd = AlignedFloats(layout_.continuous)});
  }
}

/// As ActorCritic has it: limit * tanh(output + restoring map of the observation).
float FusedNetwork::limited_mean(float output, int head, float const* observation) const {
  int const inputs = actor_.inputs();
  if (!restoring_.empty())
    for (int i = 0; i < inputs; ++i) output += restoring_[std::size_t(head * inputs + i)] * observation[i];
  return mean_limit_ * shoal::tanh(output);
}

/// From the gradient with respect to limited means to that with respect to outputs; adds the restoring map's.
void FusedNetwork::through_limit(float const* means, float* gradient, float const* observation,
                                 float* restoring) const {
  int const inputs = actor_.inputs();
  for (int h = 0; h < layout_.continuous; ++h) {
    gradient[h] *= mean_limit_ - means[h] * means[h] / mean_limit_;
    if (!restoring_.empty())
      for (int i = 0; i < inputs; ++i) restoring[h * inputs + i] += gradient[h] * observation[i];
  }
}

void FusedNetwork::forward(at::Tensor const& observations, at::Tensor const& parameters, at::Tensor const& values) {
  make_workers();
  constexpr int block = DenseMlp::block;
  auto const rows = observations.size(0);
  int const inputs = actor_.inputs(), outputs = actor_.outputs();
  float const* const x = observations.data_ptr<float>();
  float* const p = parameters.defined() ? parameters.data_ptr<float>() : nullptr;
  float* const v = values.data_ptr<float>();
  parallel_for(rows, block / 4, [&](int thread, std::int64_t begin, std::int64_t end) {
    auto& worker = workers_[std::size_t(thread)];
    for (auto first = begin; first < end; first += block) {
      int const count = int(std::min<std::int64_t>(block, end - first));
      float const* const in = x + first * inputs;
      if (p) {
        actor_.forward(worker.actor, in, count);
        for (int r = 0; r < count; ++r) {
          float* const to = p + (first + r) * outputs;
          std::copy_n(worker.actor.output() + r * actor_.output_stride(), outputs, to);
          for (int h = 0; mean_limit_ > 0 && h < layout_.continuous; ++h)
            to[h] = limited_mean(to[h], h, in + r * inputs);
        }
      }
      critic_.forward(worker.critic, in, count);
      for (int r = 0; r < count; ++r) v[first + r] = worker.critic.output()[r * critic_.output_stride()];
    }
  });
}

FusedNetwork::Part FusedNetwork::part(int index) const {
  float* const begin = parts_.data() + index * part_size_;
  float* const critic = begin + actor_.gradient_sums();
  float* const log_sd = critic + critic_.gradient_sums();
  float* const restoring = log_sd + layout_.continuous;
  return {begin, critic, log_sd, restoring, reinterpret_cast<PpoTerms*>(restoring + restoring_.size())};
}

void FusedNetwork::add_part(PpoLossArgs const& args, float const* observations, Worker& worker, Part const& part,
                            std::int64_t begin, std::int64_t end) const {
  constexpr int block = DenseMlp::block;
  int const inputs = actor_.inputs();
  NormalHead normals[max_continuous_heads];
  for (int h = 0; h < layout_.continuous; ++h) normals[h] = normal_head(args, h);
  auto const blocks = (end - begin + block - 1) / block;
  for (std::int64_t b = 0; b < blocks; ++b) {
    auto const first = begin + (end - begin) * b / blocks;
    int const count = int(begin + (end - begin) * (b + 1) / blocks - first);
    float* const x = worker.inputs.data();
    for (int r = 0; r < count; ++r) std::copy_n(observations + args.index[first + r] * inputs, inputs, x + r * inputs);
    actor_.forward(worker.actor, x, count);
    critic_.forward(worker.critic, x, count);
    for (int r = 0; r < count; ++r) {
      float* const parameters = worker.actor.output() + r * actor_.output_stride();
      float* const gradient = worker.actor.output_gradient() + r * actor_.output_stride();
      float const* const observation = x + r * inputs;
      for (int h = 0; mean_limit_ > 0 && h < layout_.continuous; ++h)
        parameters[h] = limited_mean(parameters[h], h, observation);
      auto const terms =
          ppo_loss_row(args, normals, first + r, parameters, worker.critic.output()[r * critic_.output_stride()],
                       gradient, worker.critic.output_gradient()[r * critic_.output_stride()], worker.log_sd.data());
      if (mean_limit_ > 0) through_limit(parameters, gradient, observation, part.restoring);
      for (int h = 0; h < layout_.continuous; ++h) part.log_sd[h] += worker.log_sd.data()[h];
      part.terms->policy_loss += terms.policy_loss;
      part.terms->value_loss += terms.value_loss;
      part.terms->kl += terms.kl;
      part.terms->entropy += terms.entropy;
    }
    actor_.backward(worker.actor, x, count, part.actor);
    critic_.backward(worker.critic, x, count, part.critic);
  }
}

/// Adds the parts pairwise into part 0.
void FusedNetwork::fold_parts(int parts) {
  for (int half = parts / 2; half > 0; half /= 2)
    parallel_for(half * part_size_, 1 << 14, [&](int, std::int64_t begin, std::int64_t end) {
      float* const to = parts_.data();
      float const* const from = to + half * part_size_;
      for (auto i = begin; i < end; ++i) to[i] += from[i];
    });
}

PpoTerms FusedNetwork::gradients(PpoLossArgs const& args, at::Tensor const& observations, at::Tensor const& gradients) {
  make_workers();
  int const parts = part_count(args.rows);
  if (parts > part_capacity_) parts_ = AlignedFloats((part_capacity_ = parts) * part_size_);
  float const* const x = observations.data_ptr<float>();
  parallel_for(parts, 1, [&](int thread, std::int64_t begin, std::int64_t end) {
    auto& worker = workers_[std::size_t(thread)];
    for (auto k = begin; k < end; ++k) {
      auto const sums = part(int(k));
      std::fill_n(sums.actor, part_size_, 0.0f);
      add_part(args, x, worker, sums, args.rows * k / parts, args.rows * (k + 1) / parts);
    }
  });
  fold_parts(parts);
  auto const total = part(0);
  float* const flat = gradients.data_ptr<float>();
  std::copy_n(total.log_sd, layout_.continuous, flat);
  actor_.unpack(total.actor, flat + places_.actor.begin);
  critic_.unpack(total.critic, flat + places_.critic.begin);
  std::copy_n(total.restoring, restoring_.size(), flat + gradients.numel() - std::int64_t(restoring_.size()));
  return *total.terms;
}

}  // namespace shoal
