// The processes that train a run together, and sums over them.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

namespace shoal {

/// Every process makes the same calls in the same order. A process that is alone waits for nobody, and its values are
/// the result. Instances are spread evenly: of B in all, process r has B / size() from number r B / size() on.
///
/// All calls throw Error if another process has ended.
class Collective {
 public:
  /// Of a process that is alone.
  Collective() = default;

  /// @param group  the name of a process group of torch.distributed (torch/csrc/distributed/c10d/GroupRegistry.hpp)
  /// @param here   how many of its processes run on this machine, and share its cores and memory
  /// @throws InputError if there is no group of that name
  explicit Collective(std::string const& group, int here = 1);

  int rank() const;
  int size() const;
  bool is_alone() const { return size() == 1; }
  int here() const;

  /// Replaces the values by their sums over the processes, with the same bits in each of them. On CUDA it waits for
  /// nothing, and a graph may capture it. @param values  contiguous
  void sum(at::Tensor const& values) const;
  /// Likewise their means.
  void average(at::Tensor const& values) const;

  /// @param rows  [n, ...], of the same shape in every process  @return [size() * n, ...], those of rank 0 first
  at::Tensor gather(at::Tensor const& rows) const;
  /// This process's part of what gather() returns.
  at::Tensor own_rows(at::Tensor const& all) const;

  /// Whether `own` is true in any process.
  bool any(bool own) const;
  void wait_for_all() const { any(false); }

 private:
  struct Group;
  std::shared_ptr<Group const> group_;
};

}  // namespace shoal
