#include "shoal/data/collective.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <torch/csrc/distributed/c10d/GroupRegistry.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include "shoal/core/error.hpp"

namespace shoal {

struct Collective::Group {
  c10::intrusive_ptr<c10d::ProcessGroup> processes;
  int rank, size, here;

  /// Starts the work and makes what follows wait for it.
  template <class Start>
  void run(Start const& start) const try {
    at::NoGradGuard const no_grad;
    start(*processes)->wait();
  } catch (std::exception const& error) {
    std::string const text = error.what();
    throw Error(fmt::format("process {} of {}: another process has ended or cannot be reached: {}", rank, size,
                            text.substr(0, text.find('\n'))));
  }
};

Collective::Collective(std::string const& group, int here) try {
  auto const processes = c10d::resolve_process_group(group);
  group_ = std::make_shared<Group>(Group{processes, processes->getRank(), processes->getSize(), here});
} catch (c10::Error const&) {
  throw InputError(fmt::format("no process group of the name \"{}\" in this process", group));
}

int Collective::rank() const { return group_ ? group_->rank : 0; }
int Collective::size() const { return group_ ? group_->size : 1; }
int Collective::here() const { return group_ ? group_->here : 1; }

void Collective::sum(at::Tensor const& values) const {
  if (is_alone()) return;
  std::vector<at::Tensor> tensors{values.detach()};
  group_->run([&](c10d::ProcessGroup& processes) { return processes.allreduce(tensors); });
}

void Collective::average(at::Tensor const& values) const {
  if (is_alone()) return;
  sum(values);
  at::NoGradGuard const no_grad;
  values.div_(double(size()));
}

at::Tensor Collective::gather(at::Tensor const& rows) const {
  if (is_alone()) return rows;
  auto sizes = rows.sizes().vec();
  sizes[0] *= size();
  auto all = at::empty(sizes, rows.options().requires_grad(false));
  auto own = rows.detach().contiguous();
  group_->run([&](c10d::ProcessGroup& processes) { return processes._allgather_base(all, own); });
  return all;
}

at::Tensor Collective::own_rows(at::Tensor const& all) const {
  auto const count = all.size(0) / size();
  return all.narrow(0, rank() * count, count);
}

bool Collective::any(bool own) const {
  if (is_alone()) return own;
  auto const count = at::full({1}, own ? 1.0 : 0.0, at::kFloat);
  sum(count);
  return count.item<float>() > 0;
}

}  // namespace shoal
