// The simulator as Python holds it: arrays in and out, one thread at a time, in the process that made it.
#pragma once

#include <nanobind/nanobind.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shoal/env/simulator.hpp"
#include "src/python/array.hpp"

namespace shoal::python {

/// Memory that steps write into, of the simulator's or of others; keeps it alive.
struct Outputs {
  std::vector<StepOutput> views;                 // one for each group
  std::vector<View<std::uint8_t, 2>> truncated;  // `ended` of the views is `terminated`
  Borrowed borrowed;
  int cuda_index = -1;  // of the device where all of it lies; -1: the CPU
};

class Sim {
 public:
  /// @param device  "cpu", "cuda" or "cuda:N"
  Sim(std::string name, nb::dict params, nb::dict options, nb::dict observation, std::string const& device);

  nb::dict spec();
  nb::dict params() const;
  std::string device() const;

  /// Zeros that a field of Outputs may be bound to; ones where the simulator never writes.
  Array make_output(std::string const& field, int group);
  bool writes(std::string const& field, int group);

  /// @param groups  for each group a dictionary from fields to arrays
  std::shared_ptr<Outputs> bind(nb::list groups, std::optional<std::int64_t> stream);

  void reset(Outputs& out, std::optional<std::int64_t> stream);
  void observe(Outputs& out, std::optional<std::int64_t> stream);
  void step(nb::handle actions, Outputs& out, std::optional<std::int64_t> stream);

  Array supertypes();
  Array metric_sums();
  Array metric_episodes();
  void clear_metrics();

  nb::bytes export_state(int instance);
  void import_state(int instance, nb::bytes state);

  bool can_draw() const;
  /// [height, width, 3] bytes
  nb::object draw(int instance, int scale);

  void synchronize();
  void close();
  bool is_closed() const { return !core_; }

 private:
  class Use;
  struct Core;

  std::vector<std::int64_t> shape_of(std::string const& field, int group) const;
  void check_place(Outputs const& out) const;
  std::int64_t begin_work(std::optional<std::int64_t> stream);
  StepInput take_actions(nb::handle actions, int group, std::int64_t stream, Borrowed& borrowed) const;
  std::vector<StepInput> take_actions(nb::handle actions, std::int64_t stream, Borrowed& borrowed) const;
  std::string label(int group, std::string const& what) const;

  std::string name_;
  Settings params_;
  std::shared_ptr<Place> place_ = std::make_shared<Place>();
  std::shared_ptr<Core> core_;
  std::atomic<bool> in_use_{false};
  Borrowed actions_;  // of the last step: CUDA may still read them
};

}  // namespace shoal::python
