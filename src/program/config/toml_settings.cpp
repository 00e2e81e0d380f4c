#include "program/config/toml_settings.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

#include "program/config/csv_reader.hpp"
#include "shoal/core/text.hpp"

namespace shoal {

std::string read_toml_text(std::string const& path) {
  if (std::filesystem::is_directory(path)) throw InputError(fmt::format("{}: is a folder; expected a TOML file", path));
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file && file.peek() != std::ifstream::traits_type::eof())
    text << file.rdbuf();  // << of nothing would be a failure
  if (!file.is_open() || file.bad())
    throw InputError(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  if (auto const format = other_format(std::string_view(text.view()).substr(0, 16)); !format.empty())
    throw InputError(fmt::format("{}: is {}; expected a TOML file in UTF-8", path, format));
  return text.str();
}

std::string toml_comments(std::vector<std::string> const& lines) {
  std::string out;
  for (auto const& line : lines) out += fmt::format("# {}\n", printable(line, std::string::npos));
  return out;
}

Setting read_setting(Config& config, std::string const& name, toml::key const& key, toml::node const& node) {
  auto const at = location(config.file, key.source());
  auto converted = convert(node);
  if (!converted.setting) throw InputError(at + printable(name, 100) + converted.problem);
  config.origins[name] = at;
  return std::move(*converted.setting);
}

}  // namespace shoal
