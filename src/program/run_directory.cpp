#include "program/run_directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "program/text_file.hpp"
#include "shoal/core/error.hpp"

namespace shoal {

namespace fs = std::filesystem;

namespace {

std::vector<fs::path> checkpoints(fs::path const& run) {
  std::vector<fs::path> found;
  std::error_code none;
  for (auto const& entry : fs::directory_iterator(run / "checkpoints", none))
    if (entry.path().extension() == ".pt") found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

RunDirectory RunDirectory::create(fs::path const& path, std::string const& configuration) {
  if (fs::exists(path))
    throw InputError(fmt::format("--out {}: exists; expected a folder that does not exist yet", path.string()));
  std::error_code error;
  fs::create_directories(path / "checkpoints", error);
  if (error) throw InputError(fmt::format("--out {}: cannot make the folder: {}", path.string(), error.message()));
  RunDirectory run(path);
  write_text(run.config(), configuration);
  return run;
}

RunDirectory RunDirectory::open(fs::path const& path) {
  if (!fs::is_regular_file(path / "config.toml"))
    throw InputError(fmt::format("{}: no config.toml there; expected the folder of a run", path.string()));
  return RunDirectory(path);
}

fs::path RunDirectory::unused(std::string const& name) {
  fs::path path = fs::path("runs") / name;
  for (int i = 2; fs::exists(path); ++i) path = fs::path("runs") / fmt::format("{}-{}", name, i);
  return path;
}

std::string RunDirectory::checkpoint(std::int64_t stage) const {
  return path_ / "checkpoints" / fmt::format("stage-{:09}.pt", stage);
}

std::optional<std::string> RunDirectory::latest_checkpoint() const {
  auto const found = checkpoints(path_);
  if (found.empty()) return {};
  return found.back().string();
}

void RunDirectory::prune_checkpoints() const {
  auto found = checkpoints(path_);
  for (std::size_t i = 0; i + 2 < found.size(); ++i) fs::remove(found[i]);
}

void RunDirectory::write_summary(std::string const& text) const { write_text(summary(), text); }

void RunDirectory::remove_summary() const { fs::remove(summary()); }

std::vector<std::string> RunDirectory::read_metrics() const {
  std::ifstream in(metrics());
  std::vector<std::string> rows;
  for (std::string row; std::getline(in, row);)
    if (nlohmann::json::accept(row)) rows.push_back(row);
  return rows;
}

void RunDirectory::rewind_metrics(std::int64_t stage) {
  std::string kept;
  for (auto const& row : read_metrics()) {
    auto const json = nlohmann::json::parse(row);
    if (json.value("stage", stage) < stage) kept += row + "\n";
  }
  write_text(metrics(), kept);
}

void RunDirectory::write(std::string const& name, std::string const& text) const { write_text(path_ / name, text); }

void RunDirectory::append_metrics(std::string const& row) {
  if (!metrics_) metrics_.reset(std::fopen(metrics().c_str(), "ab"));
  if (!metrics_) cannot_write(metrics());
  bool const written = std::fputs((row + "\n").c_str(), metrics_.get()) >= 0 && std::fflush(metrics_.get()) == 0;
  if (!written) cannot_write(metrics());
}

}  // namespace shoal
