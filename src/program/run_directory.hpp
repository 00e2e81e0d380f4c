// A run's folder: config.toml, metrics.jsonl, TensorBoard events, checkpoints, and at the end summary.json. Nothing in it is ever
// overwritten but by rename.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace shoal {

class RunDirectory {
 public:
  /// Makes a new folder with `configuration` as config.toml.
  /// @throws InputError if the folder exists or cannot be written
  static RunDirectory create(std::filesystem::path const& path, std::string const& configuration);

  /// Opens the folder of an earlier run.
  /// @throws InputError if it is none
  static RunDirectory open(std::filesystem::path const& path);

  /// runs/NAME, or runs/NAME-2, ... : the first that does not exist.
  static std::filesystem::path unused(std::string const& name);

  std::filesystem::path const& path() const { return path_; }
  std::string config() const { return path_ / "config.toml"; }
  std::string metrics() const { return path_ / "metrics.jsonl"; }
  std::string summary() const { return path_ / "summary.json"; }
  std::string checkpoint(std::int64_t stage) const;
  std::optional<std::string> latest_checkpoint() const;

  /// Removes all checkpoints but the last two.
  void prune_checkpoints() const;

  /// Drops the rows of metrics.jsonl from `stage` on, and a row cut short: a resumed run writes them again.
  void rewind_metrics(std::int64_t stage);

  /// The whole rows of metrics.jsonl, one JSON text each.
  std::vector<std::string> read_metrics() const;

  /// Writes a file of that name aside and renames it. @throws InputError naming the file if it cannot be written
  void write(std::string const& name, std::string const& text) const;

  /// Appends one row to metrics.jsonl. @throws InputError naming the file if it cannot be written
  void append_metrics(std::string const& row);

  /// A run with summary.json is finished.
  void write_summary(std::string const& text) const;
  void remove_summary() const;

 private:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> metrics_{nullptr, std::fclose};
};

}  // namespace shoal
