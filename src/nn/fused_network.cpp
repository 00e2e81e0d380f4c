#include "src/nn/fused_network.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <bit>

#include "shoal/ops/parallel.hpp"

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

/// f(perceptron, its place) for actor and critic, at once if it can.
template <class F>
void FusedNetwork::both(F f) {
  parallel_for(2, 1, [&](int, std::int64_t begin, std::int64_t end) {
    if (begin == 0) f(actor_, places_.actor);
    if (end == 2) f(critic_, places_.critic);
  });
}

void FusedNetwork::use(at::Tensor const& parameters) {
  auto const version = std::int64_t(parameters._version());
  if (version == version_ && parameters.data_ptr() == storage_) return;
  float const* const all = parameters.data_ptr<float>();
  both([&](DenseMlp& mlp, MlpLayout const& place) { mlp.pack(all + place.begin); });
  std::copy_n(all + parameters.numel() - std::int64_t(restoring_.size()), restoring_.size(), restoring_.data());
  version_ = version;
  storage_ = parameters.data_ptr();
}

void FusedNetwork::make_workers() {
  while (int(workers_.size()) < at::get_num_threads()) {
    workers_.push_back({.actor = actor_.workspace(),
                        .critic = critic_.workspace(),
                        .inputs = AlignedFloats(std::int64_t(DenseMlp::block) * critic_.inputs()),
                        .seen = AlignedFloats(std::int64_t(DenseMlp::block) * actor_.inputs()),
                        .log_sd = AlignedFloats(std::int64_t(DenseMlp::block) * layout_.continuous),
                        .terms = std::vector<PpoTerms>(DenseMlp::block)});
  }
}

/// The actor's inputs of some rows: they are those of the critic, or the first of them.
float const* FusedNetwork::seen_by_actor(Worker& worker, float const* inputs, int rows) const {
  int const own = actor_.inputs(), all = critic_.inputs();
  if (own == all) return inputs;
  for (int r = 0; r < rows; ++r) std::copy_n(inputs + r * all, own, worker.seen.data() + r * own);
  return worker.seen.data();
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

void FusedNetwork::forward(float const* observations, std::int64_t rows, float* parameters, float* values) {
  make_workers();
  constexpr int block = DenseMlp::block;
  int const inputs = critic_.inputs(), outputs = actor_.outputs();
  parallel_for(rows, block / 4, [&](int thread, std::int64_t begin, std::int64_t end) {
    auto& worker = workers_[std::size_t(thread)];
    for (auto first = begin; first < end; first += block) {
      int const count = int(std::min<std::int64_t>(block, end - first));
      float const* const in = observations + first * inputs;
      if (parameters) {
        actor_.forward(worker.actor, seen_by_actor(worker, in, count), count);
        for (int r = 0; r < count; ++r) {
          float* const to = parameters + (first + r) * outputs;
          std::copy_n(worker.actor.output() + r * actor_.output_stride(), outputs, to);
          for (int h = 0; mean_limit_ > 0 && h < layout_.continuous; ++h)
            to[h] = limited_mean(to[h], h, in + r * inputs);
        }
      }
      critic_.forward(worker.critic, in, count);
      for (int r = 0; r < count; ++r) values[first + r] = worker.critic.output()[r * critic_.output_stride()];
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

void FusedNetwork::limit_means(Worker& worker, int rows) const {
  if (mean_limit_ <= 0) return;
  for (int r = 0; r < rows; ++r) {
    float* const means = worker.actor.output() + r * actor_.output_stride();
    for (int h = 0; h < layout_.continuous; ++h)
      means[h] = limited_mean(means[h], h, worker.inputs.data() + r * critic_.inputs());
  }
}

/// Loss and gradients of the worker's rows, which begin with row `first` of the minibatch.
void FusedNetwork::add_loss(PpoLossArgs const& args, NormalHead const* normals, Worker& worker, Part const& part,
                            std::int64_t first, int rows) const {
  int const heads = layout_.continuous, stride = actor_.output_stride();
  for (int r = 0; r < rows; r += ppo_loss_block) {
    PpoOutputs const out{.parameters = worker.actor.output() + r * stride,
                         .values = worker.critic.output() + r * critic_.output_stride(),
                         .d_parameters = worker.actor.output_gradient() + r * stride,
                         .d_values = worker.critic.output_gradient() + r * critic_.output_stride(),
                         .d_log_sd = worker.log_sd.data() + r * heads,
                         .terms = worker.terms.data() + r,
                         .parameter_stride = stride,
                         .value_stride = critic_.output_stride()};
    ppo_loss_rows<ppo_loss_block>(args, normals, out, first + r, std::min(ppo_loss_block, rows - r));
  }
  for (int r = 0; r < rows; ++r) {
    if (mean_limit_ > 0)
      through_limit(worker.actor.output() + r * stride, worker.actor.output_gradient() + r * stride,
                    worker.inputs.data() + r * critic_.inputs(), part.restoring);
    for (int h = 0; h < heads; ++h) part.log_sd[h] += worker.log_sd.data()[r * heads + h];
    auto const& terms = worker.terms[std::size_t(r)];
    part.terms->policy_loss += terms.policy_loss;
    part.terms->value_loss += terms.value_loss;
    part.terms->kl += terms.kl;
    part.terms->entropy += terms.entropy;
  }
}

/// Brings a sample's data nearer while other rows are computed: minibatches pick samples from all over the rollout.
void FusedNetwork::prefetch(PpoLossArgs const& args, float const* observations, std::int64_t row) const {
  auto const sample = args.index[row];
  float const* const observation = observations + sample * critic_.inputs();
  for (int i = 0; i < critic_.inputs(); i += 16) __builtin_prefetch(observation + i);
  __builtin_prefetch(args.old_parameters + sample * layout_.parameters());
  __builtin_prefetch(args.continuous + sample * layout_.continuous);
  __builtin_prefetch(args.discrete + sample * layout_.discrete);
  if (args.old_log_probabilities) __builtin_prefetch(args.old_log_probabilities + sample);
  __builtin_prefetch(args.advantages + sample);
  __builtin_prefetch(args.returns + sample);
}

void FusedNetwork::add_part(PpoLossArgs const& args, float const* observations, Worker& worker, Part const& part,
                            std::int64_t begin, std::int64_t end) const {
  constexpr int block = DenseMlp::block;
  int const inputs = critic_.inputs();
  NormalHead normals[max_continuous_heads];
  for (int h = 0; h < layout_.continuous; ++h) normals[h] = normal_head(args, h);
  auto const blocks = (end - begin + block - 1) / block;
  for (std::int64_t b = 0; b < blocks; ++b) {
    auto const first = begin + (end - begin) * b / blocks;
    int const count = int(begin + (end - begin) * (b + 1) / blocks - first);
    float* const x = worker.inputs.data();
    for (int r = 0; r < count; ++r) std::copy_n(observations + args.index[first + r] * inputs, inputs, x + r * inputs);
    for (auto row = first + count; row < std::min(first + 2 * count, end); ++row) prefetch(args, observations, row);
    float const* const seen = seen_by_actor(worker, x, count);
    actor_.forward(worker.actor, seen, count);
    critic_.forward(worker.critic, x, count);
    limit_means(worker, count);
    add_loss(args, normals, worker, part, first, count);
    actor_.backward(worker.actor, seen, count, part.actor);
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
  both([&](DenseMlp const& mlp, MlpLayout const& place) {
    mlp.unpack(&mlp == &actor_ ? total.actor : total.critic, flat + place.begin);
  });
  std::copy_n(total.restoring, restoring_.size(), flat + gradients.numel() - std::int64_t(restoring_.size()));
  return *total.terms;
}

}  // namespace shoal
