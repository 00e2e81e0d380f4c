#include "shoal/data/replay.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "shoal/core/error.hpp"
#include "shoal/ops/ops.hpp"

namespace shoal {

namespace {

std::vector<std::int64_t> with_rows(std::int64_t rows, std::vector<std::int64_t> const& shape) {
  std::vector<std::int64_t> sizes{rows};
  sizes.insert(sizes.end(), shape.begin(), shape.end());
  return sizes;
}

std::int64_t row_bytes(at::Tensor const& storage) { return storage[0].numel() * std::int64_t(storage.element_size()); }

std::uint8_t* bytes_of(at::Tensor const& tensor) { return static_cast<std::uint8_t*>(tensor.data_ptr()); }

std::string described(at::ScalarType type, at::IntArrayRef sizes) {
  return fmt::format("{} [{}]", at::toString(type), fmt::join(sizes, ", "));
}

void check_errors(at::Tensor const& errors, std::int64_t rows, at::Device device) {
  if (errors.scalar_type() != at::kFloat || errors.sizes() != at::IntArrayRef{rows} || errors.device() != device ||
      !errors.is_contiguous())
    throw InputError(fmt::format("replay errors: {} on {}: expected {}, contiguous, on {}",
                                 described(errors.scalar_type(), errors.sizes()), errors.device().str(),
                                 described(at::kFloat, {rows}), device.str()));
}

}  // namespace

ReplayRing::ReplayRing(Config config, at::Device device)
    : config_(std::move(config)), device_(device), counters_(at::zeros({2}, at::kLong)) {
  auto const& fields = config_.fields;
  if (config_.capacity < 1) throw InputError(fmt::format("replay capacity {}: expected at least 1", config_.capacity));
  if (fields.empty() || fields.size() > GatherArgs::max_fields)
    throw InputError(fmt::format("replay of {} fields: expected 1 to {}", fields.size(), GatherArgs::max_fields));
  std::set<std::string> names;
  for (auto const& field : fields) {
    if (!names.insert(field.name).second) throw InputError(fmt::format("replay: two fields \"{}\"", field.name));
    storage_.push_back(
        at::zeros(with_rows(config_.capacity, field.shape), at::TensorOptions().dtype(field.type).device(device)));
  }
  if (!config_.alpha) return;
  auto const real = at::TensorOptions().dtype(at::kFloat).device(device);
  auto const blocks = DrawRowsArgs::blocks(config_.capacity);
  priorities_ = at::zeros({config_.capacity}, real);
  largest_ = at::ones({1}, real);
  group_sums_ = at::zeros({blocks, DrawRowsArgs::groups}, real.dtype(at::kDouble));
  block_sums_ = at::zeros({blocks}, real.dtype(at::kDouble));
  least_ = at::zeros({blocks, DrawRowsArgs::groups + 1}, real);
}

std::int64_t ReplayRing::rows() const { return std::min(inserted(), capacity()); }

void ReplayRing::check(std::vector<Source> const& sources, at::Tensor const& errors) const {
  if (sources.size() != storage_.size())
    throw InputError(fmt::format("replay: {} sources for {} fields", sources.size(), storage_.size()));
  auto const rows = sources[0].index.numel();
  if (rows > capacity())
    throw InputError(fmt::format("replay: {} rows inserted at once: at most {}, the capacity", rows, capacity()));
  for (std::size_t f = 0; f < sources.size(); ++f) {
    auto const& [from, index] = sources[f];
    auto const& [name, type, shape] = config_.fields[f];
    auto const leading = from.dim() - std::int64_t(shape.size());
    if (from.scalar_type() != type || leading < 1 || from.sizes().slice(std::size_t(leading)) != at::IntArrayRef(shape))
      throw InputError(fmt::format("replay field \"{}\": {}: expected {} rows of [{}]", name,
                                   described(from.scalar_type(), from.sizes()), at::toString(type),
                                   fmt::join(shape, ", ")));
    if (index.scalar_type() != at::kLong || index.dim() != 1 || index.numel() != rows)
      throw InputError(fmt::format("replay field \"{}\": index {}: expected {}", name,
                                   described(index.scalar_type(), index.sizes()), described(at::kLong, {rows})));
    if (!from.is_contiguous() || !index.is_contiguous() || from.device() != device_ || index.device() != device_)
      throw InputError(fmt::format("replay field \"{}\": expected contiguous tensors on {}", name, device_.str()));
  }
  if (errors.defined()) check_errors(errors, rows, device_);
}

/// Source rows [from, from + rows) go to rows [to, to + rows) of the ring; fields with one index in one pass.
void ReplayRing::copy_in(std::vector<Source> const& sources, std::int64_t from, std::int64_t to, std::int64_t rows) {
  std::vector<bool> done(sources.size());
  for (std::size_t first = 0; first < sources.size(); ++first) {
    if (done[first]) continue;
    auto const* const index = sources[first].index.data_ptr<std::int64_t>();
    GatherArgs args{.fields = {}, .count = 0, .index = index + from, .rows = rows};
    for (std::size_t f = first; f < sources.size(); ++f) {
      if (sources[f].index.data_ptr<std::int64_t>() != index) continue;
      auto const bytes = row_bytes(storage_[f]);
      args.fields[args.count++] = {bytes_of(sources[f].from), bytes_of(storage_[f]) + to * bytes, int(bytes)};
      done[f] = true;
    }
    ops::gather(args, device_);
  }
}

PriorityRing ReplayRing::priority_ring() const {
  return {.priorities = priorities_.data_ptr<float>(),
          .capacity = capacity(),
          .alpha = *config_.alpha,
          .largest = largest_.data_ptr<float>()};
}

void ReplayRing::insert(std::vector<Source> const& sources, at::Tensor const& errors) {
  check(sources, errors);
  auto const rows = sources[0].index.numel();
  auto const head = inserted() % capacity(), before_end = std::min(rows, capacity() - head);
  copy_in(sources, 0, head, before_end);
  if (rows > before_end) copy_in(sources, before_end, 0, rows - before_end);
  if (config_.alpha)
    ops::new_priorities({.ring = priority_ring(),
                         .first = head,
                         .count = rows,
                         .errors = errors.defined() ? errors.data_ptr<float>() : nullptr},
                        device_);
  counters()[0] += rows;
}

ReplayRing::Batch ReplayRing::make_batch(std::int64_t rows) const {
  Batch batch;
  for (auto const& storage : storage_) {
    auto sizes = storage.sizes().vec();
    sizes[0] = rows;
    batch.fields.push_back(at::zeros(sizes, storage.options()));
  }
  auto const options = at::TensorOptions().device(device_);
  batch.rows = at::zeros({rows}, options.dtype(at::kLong));
  batch.weights = at::ones({rows}, options.dtype(at::kFloat));
  return batch;
}

void ReplayRing::sample(Batch& batch, float beta) {
  if (rows() == 0) throw Error("replay: a batch is drawn before any row is inserted");
  auto const number = std::uint64_t(counters()[1]++);
  bool const prioritized = config_.alpha.has_value();
  ops::draw_rows({.priorities = prioritized ? priorities_.data_ptr<float>() : nullptr,
                  .rows = rows(),
                  .group_sums = prioritized ? group_sums_.data_ptr<double>() : nullptr,
                  .block_sums = prioritized ? block_sums_.data_ptr<double>() : nullptr,
                  .least = prioritized ? least_.data_ptr<float>() : nullptr,
                  .random = {config_.seed, config_.stream, std::uint32_t(number >> 32), std::uint32_t(number)},
                  .stratified = config_.stratified,
                  .beta = beta,
                  .draws = batch.rows.numel(),
                  .drawn = batch.rows.data_ptr<std::int64_t>(),
                  .weights = batch.weights.data_ptr<float>()},
                 device_);
  gather(batch.rows, batch.fields);
  batch.inserted = inserted();
}

void ReplayRing::gather(at::Tensor const& rows, std::vector<at::Tensor> const& out) const {
  GatherArgs args{.fields = {}, .count = 0, .index = rows.data_ptr<std::int64_t>(), .rows = rows.numel()};
  for (std::size_t f = 0; f < storage_.size(); ++f)
    args.fields[args.count++] = {bytes_of(storage_[f]), bytes_of(out[f]), int(row_bytes(storage_[f]))};
  ops::gather(args, device_);
}

void ReplayRing::update(Batch const& batch, at::Tensor const& errors) {
  check_errors(errors, batch.rows.numel(), device_);
  if (!config_.alpha) return;
  ops::update_priorities({.ring = priority_ring(),
                          .overwritten_first = batch.inserted % capacity(),
                          .overwritten = std::min(inserted() - batch.inserted, capacity()),
                          .rows = batch.rows.data_ptr<std::int64_t>(),
                          .errors = errors.data_ptr<float>(),
                          .count = errors.numel()},
                         device_);
}

NamedTensors ReplayRing::state() const {
  NamedTensors all{{"counters", counters_}};
  for (std::size_t f = 0; f < storage_.size(); ++f) all.push_back({"field." + config_.fields[f].name, storage_[f]});
  if (config_.alpha) {
    all.push_back({"priorities", priorities_});
    all.push_back({"largest", largest_});
  }
  return all;
}

}  // namespace shoal
