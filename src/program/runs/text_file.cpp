#include "program/runs/text_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "shoal/core/error.hpp"

namespace shoal {

namespace fs = std::filesystem;

void cannot_write(fs::path const& path) {
  throw Error(fmt::format("{}: cannot write: {}", path.string(), std::strerror(errno)));
}

void check_writable(std::string const& option, fs::path const& path) {
  bool const there = fs::exists(path);
  bool const writable = std::ofstream(path, std::ios::app).is_open();
  if (!writable) throw InputError(fmt::format("{} {}: cannot be written", option, path.string()));
  if (!there) fs::remove(path);
}

void write_text(fs::path const& path, std::string const& text) {
  auto const aside = fs::path(path.string() + ".partial");
  std::ofstream out(aside, std::ios::binary);
  out << text;
  out.close();
  if (!out) {
    int const error = errno;
    std::error_code ignored;
    fs::remove(aside, ignored);
    errno = error;
    cannot_write(path);
  }
  std::error_code error;
  fs::rename(aside, path, error);
  if (!error) return;
  fs::remove(aside);
  throw Error(fmt::format("{}: cannot write: {}", path.string(), error.message()));
}

}  // namespace shoal
