#include "src/python/settings.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <optional>

#include "shoal/core/text.hpp"

namespace shoal::python {

namespace nb = nanobind;

namespace {

/// Python's, or NumPy's, which has two names.
bool is_boolean(nb::handle value) {
  auto const name = nb::type_name(value.type());
  return name.equal(nb::str("bool")) || name.equal(nb::str("bool_"));
}

/// What Python's number protocol makes of it; nothing for what is no number.
std::optional<Setting> number(std::string const& key, nb::handle value) {
  if (PyIndex_Check(value.ptr())) {
    auto const index = nb::steal(PyNumber_Index(value.ptr()));
    int overflow = 0;
    long long const x = index.is_valid() ? PyLong_AsLongLongAndOverflow(index.ptr(), &overflow) : 0;
    if (overflow != 0)
      throw SettingError(key, " = " + printable(nb::str(value).c_str(), 80) + ": expected a number of 64 bits");
    if (index.is_valid()) return std::int64_t(x);
    PyErr_Clear();  // an array of several numbers has __index__ too
    return std::nullopt;
  }
  if (!nb::isinstance<nb::float_>(value) && !nb::hasattr(value, "__float__")) return std::nullopt;
  double const x = PyFloat_AsDouble(value.ptr());
  if (x == -1 && PyErr_Occurred()) {
    PyErr_Clear();
    return std::nullopt;
  }
  return x;
}

std::optional<Setting> list(std::string const& key, nb::handle value) {
  std::vector<double> numbers;
  std::vector<std::string> strings;
  for (nb::handle item : nb::iter(value)) {
    if (nb::isinstance<nb::str>(item)) {
      strings.push_back(nb::cast<std::string>(item));
      continue;
    }
    auto const x = is_boolean(item) ? std::nullopt : number(key, item);
    if (!x) throw SettingError(key, ": expected a list of numbers only or of strings only");
    auto const* whole = std::get_if<std::int64_t>(&*x);
    numbers.push_back(whole ? double(*whole) : std::get<double>(*x));
  }
  if (!numbers.empty() && !strings.empty())
    throw SettingError(key, ": expected a list of numbers only or of strings only");
  if (!strings.empty()) return strings;
  return numbers;
}

Setting to_setting(std::string const& key, nb::handle value) {
  constexpr char const* expected = "expected a boolean, a number, a string or a list";
  if (is_boolean(value)) return bool(nb::bool_(value));
  if (nb::isinstance<nb::str>(value)) return nb::cast<std::string>(value);
  if (nb::isinstance<nb::dict>(value)) throw SettingError(key, std::string(" is a dictionary: ") + expected);
  if (auto x = number(key, value)) return *x;
  bool const is_list = PySequence_Check(value.ptr()) || nb::hasattr(value, "__iter__");
  if (is_list && !nb::isinstance<nb::bytes>(value))
    if (auto x = list(key, value)) return *x;
  throw SettingError(key, " = " + printable(nb::repr(value).c_str(), 80) + ": " + expected);
}

}  // namespace

Settings to_settings(nb::dict values) {
  Settings settings;
  for (auto const& [key, value] : values) {
    auto const name = nb::cast<std::string>(nb::str(key));
    settings.emplace(name, to_setting(name, value));
  }
  return settings;
}

nb::dict to_python(Settings const& settings) {
  nb::dict values;
  for (auto const& [key, setting] : settings)
    std::visit([&](auto const& x) { values[key.c_str()] = nb::cast(x); }, setting);
  return values;
}

}  // namespace shoal::python
