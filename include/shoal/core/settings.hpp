// Named, typed, range-checked settings. A group of options is a struct with one function that lists its fields:
//
//   struct PpoOptions {
//     int epochs = 4;
//     template <class Visit> static void fields(Visit& visit, PpoOptions& o) {
//       visit("epochs", o.epochs, Range{1, 1000}, "passes over the rollout in one update");
//     }
//   };
//
// From that list come reading with errors, the documentation that `shoal list` prints, and the resolved configuration.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "shoal/core/error.hpp"

namespace shoal {

/// One value, with the types of TOML.
using Setting = std::variant<bool, std::int64_t, double, std::string, std::vector<double>, std::vector<std::string>>;
/// Values by their keys; those not given keep their defaults.
using Settings = std::map<std::string, Setting>;

/// A closed interval of allowed values; for a list, of each of its elements.
struct Range {
  double low, high;
};

/// The names of an enumeration's values, in order from 0.
struct Choices {
  Choices(std::initializer_list<std::string_view> list) : names(list) {}
  std::initializer_list<std::string_view> names;  // lives as long as the call that it is written in
};

/// A list with a fixed capacity, for parameters that are copied to a device.
template <class T, int Capacity>
struct List {
  static constexpr int capacity = Capacity;
  int count = 0;
  T items[Capacity] = {};
};

/// One documented field.
struct Field {
  std::string name, type, value, allowed, help;  // value: the default, as it would be written
};

/// The setting as TOML writes it.
std::string to_text(Setting const& setting);

namespace detail {
// Each returns the value of `setting` or throws a SettingError that names `key`, the value and what was expected.
bool as_bool(std::string_view key, Setting const& setting);
std::int64_t as_integer(std::string_view key, Setting const& setting, Range range);
// narrow: the value becomes a float, and bounds are compared as floats.
double as_real(std::string_view key, Setting const& setting, Range range, bool narrow);
std::string as_string(std::string_view key, Setting const& setting);
int as_choice(std::string_view key, Setting const& setting, Choices choices);
std::vector<double> as_reals(std::string_view key, Setting const& setting, Range range, bool whole, bool narrow);
std::vector<std::string> as_strings(std::string_view key, Setting const& setting);
std::string to_text(Range range, bool whole);
std::string to_text(Choices choices);
[[noreturn]] void wrong_count(std::string_view key, std::size_t count, std::string const& expected);
[[noreturn]] void unknown_key(std::string const& key, std::vector<std::string> const& known);

template <class T>
inline constexpr bool is_list = false;
template <class T, int Capacity>
inline constexpr bool is_list<List<T, Capacity>> = true;

/// Visits fields and assigns those that `settings` holds.
struct Reader {
  Settings const& settings;
  std::vector<std::string> known = {};

  template <class T, class Assign>
  void assign(char const* key, T&, Assign assign_from) {
    known.push_back(key);
    if (auto const it = settings.find(key); it != settings.end()) assign_from(it->second);
  }

  void operator()(char const* key, bool& value, char const*) {
    assign(key, value, [&](Setting const& s) { value = as_bool(key, s); });
  }
  void operator()(char const* key, std::string& value, char const*) {
    assign(key, value, [&](Setting const& s) { value = as_string(key, s); });
  }
  void operator()(char const* key, std::vector<std::string>& value, char const*) {
    assign(key, value, [&](Setting const& s) { value = as_strings(key, s); });
  }
  void operator()(char const* key, std::vector<double>& value, Range range, char const*) {
    assign(key, value, [&](Setting const& s) { value = as_reals(key, s, range, false, false); });
  }
  template <class T>
  requires std::is_arithmetic_v<T>
  void operator()(char const* key, T& value, Range range, char const*) {
    assign(key, value, [&](Setting const& s) {
      if constexpr (std::is_integral_v<T>)
        value = T(as_integer(key, s, range));
      else
        value = T(as_real(key, s, range, std::is_same_v<T, float>));
    });
  }
  template <class T>
  requires std::is_enum_v<T>
  void operator()(char const* key, T& value, Choices choices, char const*) {
    assign(key, value, [&](Setting const& s) { value = T(as_choice(key, s, choices)); });
  }
  template <class T, int N>
  void operator()(char const* key, T (&value)[N], Range range, char const*) {
    assign(key, value, [&](Setting const& s) {
      auto const items = as_reals(key, s, range, std::is_integral_v<T>, std::is_same_v<T, float>);
      if (items.size() != N) wrong_count(key, items.size(), std::to_string(N));
      for (int i = 0; i < N; ++i) value[i] = T(items[std::size_t(i)]);
    });
  }
  template <class T, int Capacity>
  void operator()(char const* key, List<T, Capacity>& value, Range range, char const*) {
    assign(key, value, [&](Setting const& s) {
      auto const items = as_reals(key, s, range, std::is_integral_v<T>, std::is_same_v<T, float>);
      if (items.size() > Capacity) wrong_count(key, items.size(), "at most " + std::to_string(Capacity));
      value = {};
      for (double const item : items) value.items[value.count++] = T(item);
    });
  }
};

/// Visits fields and gathers their values and documentation.
struct Writer {
  Settings settings = {};
  std::vector<Field> fields = {};

  void add(char const* key, char const* type, Setting value, std::string allowed, char const* help) {
    fields.push_back({key, type, shoal::to_text(value), std::move(allowed), help});
    settings.emplace(key, std::move(value));
  }

  void operator()(char const* key, bool& value, char const* help) { add(key, "boolean", value, "true or false", help); }
  void operator()(char const* key, std::string& value, char const* help) { add(key, "string", value, "", help); }
  void operator()(char const* key, std::vector<std::string>& value, char const* help) {
    add(key, "strings", value, "", help);
  }
  void operator()(char const* key, std::vector<double>& value, Range range, char const* help) {
    add(key, "reals", value, "values " + to_text(range, false), help);
  }
  template <class T>
  requires std::is_arithmetic_v<T>
  void operator()(char const* key, T& value, Range range, char const* help) {
    if constexpr (std::is_integral_v<T>)
      add(key, "integer", std::int64_t(value), to_text(range, true), help);
    else
      add(key, "real", double(value), to_text(range, false), help);
  }
  template <class T>
  requires std::is_enum_v<T>
  void operator()(char const* key, T& value, Choices choices, char const* help) {
    add(key, "string", std::string(choices.names.begin()[int(value)]), to_text(choices), help);
  }
  template <class T, int N>
  void operator()(char const* key, T (&value)[N], Range range, char const* help) {
    add(key, std::is_integral_v<T> ? "integers" : "reals", std::vector<double>(value, value + N),
        std::to_string(N) + " values " + to_text(range, std::is_integral_v<T>), help);
  }
  template <class T, int Capacity>
  void operator()(char const* key, List<T, Capacity>& value, Range range, char const* help) {
    add(key, std::is_integral_v<T> ? "integers" : "reals", std::vector<double>(value.items, value.items + value.count),
        "up to " + std::to_string(Capacity) + " values " + to_text(range, std::is_integral_v<T>), help);
  }
};
}  // namespace detail

/// Assigns to `group` the fields that `settings` names; the others keep their values.
/// @throws SettingError for a key that the group does not have, a wrong type, or a value out of range
template <class Group>
void read_settings(Group& group, Settings const& settings) {
  detail::Reader reader{settings};
  Group::fields(reader, group);
  for (auto const& [key, value] : settings) {
    bool known = false;
    for (auto const& name : reader.known) known |= name == key;
    if (!known) detail::unknown_key(key, reader.known);
  }
}

/// Every field's present value.
template <class Group>
Settings to_settings(Group group) {
  detail::Writer writer;
  Group::fields(writer, group);
  return writer.settings;
}

/// Every field with type, default, allowed values and meaning, in the group's order.
template <class Group>
std::vector<Field> list_fields(Group group = {}) {
  detail::Writer writer;
  Group::fields(writer, group);
  return writer.fields;
}

}  // namespace shoal
