// Supertypes, metrics, states and pictures.
#include <fmt/format.h>

#include <cstring>
#include <span>

#include "program/pictures/raster.hpp"
#include "shoal/env/drawing.hpp"
#include "src/env/sealed_state.hpp"
#include "src/python/sim_use.hpp"

namespace shoal::python {

Array Sim::supertypes() {
  Use const use(*this);
  auto const v = use->supertypes();
  auto const extent = [&](int d) { return std::size_t(v.extents[d]); };
  return {v.data, nb::dtype<float>(), {extent(0), extent(1), extent(2)}, core_, place_};
}

Array Sim::metric_sums() {
  Use const use(*this);
  auto const v = use->metrics().sums;
  return {v.data, nb::dtype<float>(), {std::size_t(v.extents[0]), std::size_t(v.extents[1])}, core_, place_};
}

Array Sim::metric_episodes() {
  Use const use(*this);
  auto const v = use->metrics().episodes;
  return {v.data, nb::dtype<std::int32_t>(), {std::size_t(v.extents[0])}, core_, place_};
}

void Sim::clear_metrics() {
  Use const use(*this);
  use->clear_metrics();
}

nb::bytes Sim::export_state(int instance) {
  Use const use(*this);
  std::vector<std::byte> bytes(sealed_size(*use));
  export_sealed(*use, state_fingerprint(SHOAL_VERSION, name_, params_), instance, bytes);
  return nb::bytes(bytes.data(), bytes.size());
}

void Sim::import_state(int instance, nb::bytes state) {
  Use const use(*this);
  auto const bytes = std::as_bytes(std::span(state.c_str(), state.size()));
  if (import_sealed(*use, state_fingerprint(SHOAL_VERSION, name_, params_), instance, bytes) != SealProblem::none)
    throw InputError(
        fmt::format("{}: state of {} bytes that is damaged or of other parameters or another version; "
                    "expected what export_state() returned",
                    name_, bytes.size()));
}

bool Sim::can_draw() const { return core_ && core_->simulator->can_draw(); }

nb::object Sim::draw(int instance, int scale) {
  Use const use(*this);
  if (scale < 1 || scale > 64) throw InputError(fmt::format("scale = {}: expected an integer in [1, 64]", scale));
  if (!use->can_draw()) throw InputError(name_ + ": draws nothing here; expected device \"cpu\"");
  auto const image = rasterize(use->draw(instance), scale);
  static_assert(sizeof(Color) == 3);
  auto const pixels = allocate({}, image.pixels.size() * sizeof(Color));
  std::memcpy(pixels.get(), image.pixels.data(), image.pixels.size() * sizeof(Color));
  std::vector<std::size_t> const shape{std::size_t(image.height), std::size_t(image.width), 3};
  return Array(pixels.get(), nb::dtype<std::uint8_t>(), shape, pixels, std::make_shared<Place>()).numpy();
}

}  // namespace shoal::python
