// The module shoal._sim: what python/shoal makes its classes of.
#include <nanobind/nanobind.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "shoal/core/error.hpp"
#include "shoal/env/plugin.hpp"
#include "src/python/array.hpp"
#include "src/python/sim.hpp"
#include "src/python/spec.hpp"
#include "src/python/stream.hpp"

namespace nb = nanobind;
using namespace nb::literals;
using shoal::python::Array, shoal::python::Outputs, shoal::python::Sim;

NB_MODULE(_sim, m) {
  m.doc() = "The simulator of shoal. Use the package shoal, which wraps this module.";
  m.attr("version") = SHOAL_VERSION;

  auto const error = nb::exception<shoal::Error>(m, "Error", PyExc_RuntimeError);
  auto const input_error = nb::exception<shoal::InputError>(m, "InputError", PyExc_ValueError);
  error.doc() = "Something failed, for example a CUDA call.";
  input_error.doc() = "What the caller gave is at fault: a name, a setting, an array, an action.";

  m.def("environments", &shoal::python::describe_all, "Name, summary and fields of every environment.");
  m.def("load_plugin", &shoal::load_plugin, "path"_a, "Loads a plugin. Returns its environment's name.");
  m.def(
      "parse_stream",
      [](std::optional<std::int64_t> stream) {
        auto const request = shoal::python::parse_stream(stream);
        return std::pair(request.synchronizes, request.handle);
      },
      "stream"_a.none(), "Whether a stream of the array API asks for synchronization, and its CUDA handle.");

  nb::class_<Array>(m, "Array",
                    "An array of a simulator's, taken by other libraries with from_dlpack(). Keeps its memory alive.")
      .def_prop_ro("shape", [](Array const& a) { return nb::tuple(nb::cast(a.shape())); })
      .def_prop_ro("dtype", &Array::dtype)
      .def_prop_ro("device", &Array::device)
      .def("numpy", &Array::numpy, "A NumPy array: of the same memory on the CPU, a copy of CUDA's.")
      .def(
          "__dlpack__",
          [](Array const& a, std::optional<std::int64_t> stream, nb::kwargs const& others) {
            return a.dlpack(stream, others);
          },
          nb::kw_only(), "stream"_a = nb::none(), "others"_a)
      .def("__dlpack_device__", &Array::dlpack_device)
      .def("__repr__", [](Array const& a) {
        return nb::str("shoal.Array(shape={}, dtype={}, device={})")
            .format(nb::tuple(nb::cast(a.shape())), a.dtype(), a.device());
      });

  nb::class_<Outputs>(m, "Outputs", "Memory that steps write into.");

  nb::class_<Sim>(m, "Sim", "A batch of instances of one environment.")
      .def(nb::init<std::string, nb::dict, nb::dict, nb::dict, std::string const&>(), "name"_a, "params"_a, "options"_a,
           "observation"_a, "device"_a)
      .def("spec", &Sim::spec)
      .def("params", &Sim::params)
      .def_prop_ro("device", &Sim::device)
      .def_prop_ro("can_draw", &Sim::can_draw)
      .def_prop_ro("closed", &Sim::is_closed)
      .def("make_output", &Sim::make_output, "field"_a, "group"_a)
      .def("writes", &Sim::writes, "field"_a, "group"_a)
      .def("bind", &Sim::bind, "groups"_a, "stream"_a.none())
      .def("reset", &Sim::reset, "out"_a, "stream"_a.none())
      .def("observe", &Sim::observe, "out"_a, "stream"_a.none())
      .def("step", &Sim::step, "actions"_a.none(), "out"_a, "stream"_a.none())
      .def("supertypes", &Sim::supertypes)
      .def("metric_sums", &Sim::metric_sums)
      .def("metric_episodes", &Sim::metric_episodes)
      .def("clear_metrics", &Sim::clear_metrics)
      .def("export_state", &Sim::export_state, "instance"_a)
      .def("import_state", &Sim::import_state, "instance"_a, "state"_a)
      .def("draw", &Sim::draw, "instance"_a, "scale"_a)
      .def("synchronize", &Sim::synchronize)
      .def("close", &Sim::close);
}
