// Replay memory of off-policy learners: a ring of rows of named fields, drawn uniformly or in proportion to priorities.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shoal/data/named_tensors.hpp"
#include "shoal/ops/prioritized.hpp"

namespace shoal {

/// Tensors lie on the ring's device; what the host decides (where new rows go, how many there are) are numbers of the
/// host. So insert() and sample() are not for captured CUDA graphs. They wait for nothing. For one host thread.
class ReplayRing {
 public:
  struct Field {
    std::string name;
    at::ScalarType type = at::kFloat;
    std::vector<std::int64_t> shape = {};  // of a row; empty: one number
  };

  struct Config {
    std::vector<Field> fields;        // 1 to GatherArgs::max_fields
    std::int64_t capacity = 0;        // rows, >= 1
    std::optional<float> alpha = {};  // priority = (|error| + 1e-6)^alpha; none: uniform
    bool stratified = false;  // draw i out of the i-th of equal parts of the priorities' sum; else all independent
    std::uint32_t seed = 0;
    std::uint32_t stream = 0;  // tells the rings of one run apart
  };

  /// Rows to insert of one field: those that `index` [R] i64 names of the contiguous `from` [any..., shape...], whose
  /// leading dimensions count as one. Indices are not checked.
  struct Source {
    at::Tensor from, index;
  };

  /// What sample() fills.
  struct Batch {
    std::vector<at::Tensor> fields;  // in the order of Config::fields, [rows, shape...]
    at::Tensor rows;                 // [rows] i64: where they lie in the ring
    at::Tensor weights;              // [rows] f32, importance weights over the largest of the ring; 1 where uniform
    std::int64_t inserted = 0;       // ReplayRing::inserted() when it was drawn
  };

  /// @throws InputError for a capacity below 1, no or too many fields, one name for two
  ReplayRing(Config config, at::Device device);

  std::int64_t capacity() const { return config_.capacity; }
  std::int64_t inserted() const { return counters()[0]; }               // rows, ever
  std::int64_t rows() const;                                            // that it holds now
  at::Tensor const& field(std::size_t i) const { return storage_[i]; }  // [capacity, shape...]

  /// Puts R rows in the place of the oldest, where the ring is full.
  /// @param sources  one for each field
  /// @param errors   [R] f32, of which the rows' priorities are; undefined: they get the largest that update() has
  /// seen, 1 at first
  /// @throws InputError for more rows than the capacity, another number of sources, other types, shapes or devices
  void insert(std::vector<Source> const& sources, at::Tensor const& errors = {});

  /// A batch of that many rows to be filled by sample().
  Batch make_batch(std::int64_t rows) const;

  /// Draws the batch's rows with replacement and copies their fields. Each call draws other ones.
  /// @param beta  of the importance weights; unused where uniform
  /// @throws Error where the ring is empty
  void sample(Batch& batch, float beta = 0);

  /// out[f][i] = row rows[i] of field f.
  void gather(at::Tensor const& rows, std::vector<at::Tensor> const& out) const;

  /// Priorities from the batch's errors [rows] f32, of any sign. Rows that were overwritten since it was drawn keep
  /// theirs, and so does one whose error is not finite; of a row that was drawn twice the largest error counts. Nothing
  /// to do where uniform.
  /// @throws InputError where `errors` has another shape or type
  void update(Batch const& batch, at::Tensor const& errors);

  /// All that it holds, in tensors of fixed shape; copying into them restores. "counters" lies on the host.
  NamedTensors state() const;

 private:
  std::int64_t* counters() const { return counters_.data_ptr<std::int64_t>(); }
  void check(std::vector<Source> const& sources, at::Tensor const& errors) const;
  void copy_in(std::vector<Source> const& sources, std::int64_t from, std::int64_t to, std::int64_t rows);
  PriorityRing priority_ring() const;

  Config config_;
  at::Device device_;
  std::vector<at::Tensor> storage_;
  at::Tensor counters_;                         // [2] i64 on the host: rows inserted, batches drawn
  at::Tensor priorities_, largest_;             // [capacity], [1]; undefined where uniform, like the next
  at::Tensor group_sums_, block_sums_, least_;  // scratch of draw_rows
};

}  // namespace shoal
