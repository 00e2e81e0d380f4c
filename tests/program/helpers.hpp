// What tests of the program share: files that vanish, and the text of an error.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "shoal/core/error.hpp"

namespace shoal {

/// A folder of its own, removed at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    auto name = (std::filesystem::temp_directory_path() / "shoal-test-XXXXXX").string();
    if (!mkdtemp(name.data())) throw Error("no temporary folder");
    path_ = name;
  }
  TemporaryFolder(TemporaryFolder const&) = delete;
  TemporaryFolder& operator=(TemporaryFolder const&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string path() const { return path_; }
  std::string write(std::string const& name, std::string const& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

/// The message of the Error that f() throws.
template <class F>
std::string error_of(F f) {
  try {
    f();
  } catch (Error const& error) {
    return error.what();
  }
  return "(no error)";
}

}  // namespace shoal
