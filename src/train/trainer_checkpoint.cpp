// What a checkpoint holds of a Trainer.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <sstream>

#include "shoal/train/checkpoint.hpp"
#include "shoal/train/trainer.hpp"
#include "src/train/stage_graph.hpp"

namespace shoal {

namespace {

// Where two texts part: "it has "rounds = 16", this run "rounds = 17"".
std::string first_difference(std::string const& kept, std::string const& now) {
  std::istringstream kept_lines(kept), now_lines(now);
  std::string a, b;
  while (std::getline(kept_lines, a) && std::getline(now_lines, b))
    if (a != b) return fmt::format("it has \"{}\", this run \"{}\"", a, b);
  return "one of them ends before the other";
}

/// The instances of all processes of a tensor of the state.
at::Tensor of_all(NamedTensor const& own, Collective const& collective) {
  if (own.axis < 0 || collective.is_alone()) return own.tensor;
  return collective.gather(own.tensor.movedim(own.axis, 0)).movedim(0, own.axis);
}

/// The sizes of of_all().
std::vector<std::int64_t> sizes_of_all(NamedTensor const& own, Collective const& collective) {
  auto sizes = own.tensor.sizes().vec();
  if (own.axis >= 0) sizes[std::size_t(own.axis)] *= collective.size();
  return sizes;
}

/// This process's part of of_all().
at::Tensor own_part(NamedTensor const& own, at::Tensor const& all, Collective const& collective) {
  if (own.axis < 0) return all;
  return collective.own_rows(all.movedim(own.axis, 0)).movedim(0, own.axis);
}

}  // namespace

NamedTensors Trainer::learner_state() const {
  NamedTensors all;
  for (std::size_t p = 0; p < learners_.size(); ++p)
    for (auto const& [name, tensor, axis] : learners_[p]->state())
      all.push_back({fmt::format("{}.{}", learner_names_[p], name), tensor, axis});
  if (calibrator_)
    for (auto const& [name, tensor, axis] : calibrator_->state()) all.push_back({"calibrator." + name, tensor, axis});
  return all;
}

void Trainer::save(std::string const& path, std::string const& configuration) {
  auto const scope = graph_->scope();
  Checkpoint checkpoint;
  auto const& collective = config_.collective;
  for (auto const& own : learner_state()) checkpoint.tensors[own.name] = of_all(own, collective);
  if (auto const history = calibrator_ ? calibrator_->history() : at::Tensor(); history.defined())
    checkpoint.tensors["history"] = history;
  auto const bytes = at::empty({simulator_->options().instances, std::int64_t(simulator_->state_size())}, at::kByte);
  for (int i = 0; i < simulator_->options().instances; ++i)
    simulator_->export_state(i, {reinterpret_cast<std::byte*>(bytes[i].data_ptr()), simulator_->state_size()});
  checkpoint.tensors["instances"] = collective.gather(bytes);
  checkpoint.tensors["progress"] =
      at::tensor({double(stage_), double(agent_steps_), seconds_, double(rate_from_)}, at::kDouble);
  if (answer_.profile().defined()) {
    checkpoint.tensors["answer"] = answer_.profile();
    checkpoint.tensors["validations"] = at::tensor(answer_.validations(), at::kDouble);
    checkpoint.tensors["calibration"] =
        at::tensor({double(calibrated_at_), double(planned_), double(out_of_patience_)}, at::kDouble);
  }
  checkpoint.texts["configuration"] = configuration;
  if (collective.rank() == 0) write_checkpoint(path, checkpoint);
}

std::string Trainer::load(std::string const& path, std::string const& configuration) {
  auto const scope = graph_->scope();
  auto checkpoint = read_checkpoint(path);
  if (auto const& kept = checkpoint.texts["configuration"]; kept != configuration)
    throw InputError(
        fmt::format("{}: checkpoint of another configuration: {}", path, first_difference(kept, configuration)));
  auto const take_if = [&](std::string const& name, auto fits) {
    auto const it = checkpoint.tensors.find(name);
    if (it == checkpoint.tensors.end() || !fits(it->second.sizes()))
      throw InputError(fmt::format("{}: {} is missing or has another shape", path, name));
    return it->second;
  };
  auto const take = [&](std::string const& name, at::IntArrayRef sizes) {
    return take_if(name, [&](at::IntArrayRef found) { return found == sizes; });
  };
  at::NoGradGuard const no_grad;
  if (config_.validation && calibrator_ && !calibrating())
    throw Error("a checkpoint is loaded into a trainer whose calibration has not ended");
  answer_.restore({}, {});
  if (checkpoint.tensors.count("answer") && config_.validation) {
    auto const calibration = take("calibration", {3});
    auto const values = take_if("validations", [](at::IntArrayRef found) { return found.size() == 1; });
    answer_.restore(take("answer", {calibrator_->space().size()}).to(device_),
                    {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()});
    calibrated_at_ = std::int64_t(calibration[0].item<double>());
    planned_ = std::int64_t(calibration[1].item<double>());
    out_of_patience_ = std::int64_t(calibration[2].item<double>());
    bool const extended = calibrated_at_ == planned_ && planned_ < calibration_stages();
    if (extended && settling_stages(config_) == 0) calibrated_at_ = out_of_patience_ = -1;
    if (calibrated_at_ >= 0 && settling_stages(config_) > 0) settle();
  }
  auto const state = learner_state();
  auto const& collective = config_.collective;
  std::vector<at::Tensor> loaded;
  for (auto const& own : state)
    loaded.push_back(own_part(own, take(own.name, sizes_of_all(own, collective)), collective));
  auto const instances = simulator_->options().instances;
  auto const bytes =
      collective.own_rows(take("instances", {instances * collective.size(), std::int64_t(simulator_->state_size())}));
  auto const progress = take("progress", {4});
  auto const history = calibrator_ ? calibrator_->history() : at::Tensor();
  at::Tensor rows;
  if (history.defined())
    rows = take_if("history", [&](auto found) { return found.size() == 2 && found[1] == history.size(1); });
  for (std::size_t i = 0; i < state.size(); ++i) state[i].tensor.copy_(loaded[i]);
  for (int i = 0; i < instances; ++i)
    simulator_->import_state(i, {reinterpret_cast<std::byte const*>(bytes[i].data_ptr()), simulator_->state_size()});
  if (history.defined()) history.resize_(rows.sizes()).copy_(rows);
  stage_ = std::int64_t(progress[0].item<double>());
  agent_steps_ = std::int64_t(progress[1].item<double>());
  seconds_ = progress[2].item<double>();
  rate_from_ = std::int64_t(progress[3].item<double>());
  return checkpoint.digest;
}

}  // namespace shoal
