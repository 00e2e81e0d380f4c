#include "program/runs/run_directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "program/runs/text_file.hpp"
#include "shoal/core/error.hpp"

namespace shoal {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 6> file_names{"config.toml",  "metrics.jsonl", "summary.json",
                                                     "profile.toml", "check.json",    "evaluation.json"};

/// Makes the folder, and those above it. @return whether it did not exist before
bool make_folder(fs::path const& path) {
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  bool const made = !error && fs::create_directory(path, error);
  if (error) throw InputError(fmt::format("--out {}: cannot make the folder: {}", path.string(), error.message()));
  return made;
}

/// "stage-000000050.pt". What a user keeps beside them is not the run's.
bool is_checkpoint_name(std::string const& name) {
  constexpr std::string_view before = "stage-", after = ".pt";
  if (!name.starts_with(before) || !name.ends_with(after) || name.size() < before.size() + 9 + after.size())
    return false;
  auto const number = std::string_view(name).substr(before.size(), name.size() - before.size() - after.size());
  return std::all_of(number.begin(), number.end(), [](unsigned char c) { return std::isdigit(c); });
}

/// A file that the program writes aside before it is renamed.
bool is_partial(fs::path const& path) {
  if (path.extension() != ".partial" || !fs::is_regular_file(fs::symlink_status(path))) return false;
  auto const name = path.stem().string();
  return is_checkpoint_name(name) || std::find(file_names.begin(), file_names.end(), name) != file_names.end();
}

/// How deeply the arrays and objects of a JSON text are nested; its reader and its destructors recurse.
int depth_of(std::string const& text) {
  int depth = 0, most = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char const c = text[i];
    if (in_string)
      i += c == '\\', in_string = c != '"';
    else if (c == '"')
      in_string = true;
    else if (c == '[' || c == '{')
      most = std::max(most, ++depth);
    else if (c == ']' || c == '}')
      --depth;
  }
  return most;
}

bool is_whole_row(std::string const& text) {
  constexpr int deepest_row = 8;
  return text.starts_with('{') && depth_of(text) <= deepest_row && nlohmann::json::accept(text);
}

}  // namespace

RunDirectory RunDirectory::create(fs::path const& path, std::string const& configuration) {
  if (!make_folder(path))
    throw InputError(fmt::format("--out {}: exists; expected a folder that does not exist yet", path.string()));
  return RunDirectory(path, configuration);
}

RunDirectory RunDirectory::create_unused(std::string const& name, std::string const& configuration) {
  return RunDirectory(make_unused(name), configuration);
}

fs::path RunDirectory::make_unused(std::string const& name) {
  auto path = fs::path("runs") / name;
  for (int i = 2; !make_folder(path); ++i) path = fs::path("runs") / fmt::format("{}-{}", name, i);
  return path;
}

RunDirectory::RunDirectory(fs::path path, std::string const& configuration) : path_(std::move(path)) {
  lock();
  make_folder(path_ / "checkpoints");
  write_text(config(), configuration);
}

RunDirectory RunDirectory::open(fs::path const& path) {
  if (!fs::is_regular_file(path / "config.toml"))
    throw InputError(fmt::format("{}: no config.toml there; expected the folder of a run", path.string()));
  return RunDirectory(path);
}

void RunDirectory::lock() {
  lock_.emplace(path_, /*inherited=*/false, fmt::format("{}: in use: another process trains this run", path_.string()));
}

std::string RunDirectory::checkpoint(std::int64_t stage) const {
  return path_ / "checkpoints" / fmt::format("stage-{:09}.pt", stage);
}

std::vector<std::string> RunDirectory::checkpoints() const {
  std::vector<std::string> found;
  std::error_code none;
  for (auto const& entry : fs::directory_iterator(path_ / "checkpoints", none))
    if (is_checkpoint_name(entry.path().filename().string())) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

void RunDirectory::prune_checkpoints() const {
  auto const found = checkpoints();
  for (std::size_t i = 0; i + 2 < found.size(); ++i) fs::remove(found[i]);
}

void RunDirectory::write_summary(std::string const& text) const { write_text(summary(), text); }

void RunDirectory::remove_summary() const { fs::remove(summary()); }

void RunDirectory::remove_partial_files() const {
  std::vector<fs::path> partial;
  for (auto const& folder : {path_, path_ / "checkpoints"})
    for (auto const& entry : fs::directory_iterator(folder))
      if (is_partial(entry.path())) partial.push_back(entry.path());
  for (auto const& path : partial) fs::remove(path);
}

std::vector<std::string> RunDirectory::read_metrics() const {
  std::vector<std::string> rows;
  if (!fs::exists(metrics())) return rows;
  std::ifstream in(metrics(), std::ios::binary);
  std::optional<std::size_t> broken;
  for (std::string row; std::getline(in, row);) {
    if (broken)
      throw InputError(fmt::format("{}:{}: no whole JSON object; expected the row of a stage", metrics(), *broken));
    if (is_whole_row(row))
      rows.push_back(row);
    else
      broken = rows.size() + 1;
  }
  if (!in.eof()) throw InputError(fmt::format("{}: cannot be read", metrics()));
  return rows;
}

std::vector<std::string> RunDirectory::read_history(std::int64_t stages) const {
  auto rows = read_metrics();
  for (std::size_t i = 0; i < std::size_t(stages); ++i) {
    auto const missing = fmt::format("expected that of stage {}: the checkpoint is of stage {}", i, stages);
    if (i >= rows.size()) throw InputError(fmt::format("{}: has {} rows; {}", metrics(), rows.size(), missing));
    auto const stage = nlohmann::json::parse(rows[i]).value("stage", nlohmann::json());
    if (stage != i)
      throw InputError(fmt::format("{}:{}: the row of stage {}; {}", metrics(), i + 1, stage.dump(), missing));
  }
  rows.resize(std::size_t(stages));
  return rows;
}

void RunDirectory::write_metrics(std::vector<std::string> const& rows) const {
  std::string text;
  for (auto const& row : rows) text += row + "\n";
  write_text(metrics(), text);
}

void RunDirectory::write(std::string const& name, std::string const& text) const { write_text(path_ / name, text); }

void RunDirectory::append_metrics(std::string const& row) {
  if (!metrics_) metrics_.reset(std::fopen(metrics().c_str(), "ab"));
  if (!metrics_) cannot_write(metrics());
  bool const written = std::fputs((row + "\n").c_str(), metrics_.get()) >= 0 && std::fflush(metrics_.get()) == 0;
  if (!written) cannot_write(metrics());
}

}  // namespace shoal
