// A run's folder: config.toml, metrics.jsonl, TensorBoard events, checkpoints, and at the end summary.json. Nothing in
// it is ever overwritten but by rename, and one process writes at a time.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "program/runs/folder_lock.hpp"

namespace shoal {

class RunDirectory {
 public:
  /// Makes a new folder with `configuration` as config.toml, to be written by this process.
  /// @throws InputError if the folder exists, Error if it cannot be written
  static RunDirectory create(std::filesystem::path const& path, std::string const& configuration);

  /// The same in the folder that make_unused() makes.
  static RunDirectory create_unused(std::string const& name, std::string const& configuration);

  /// Makes runs/NAME, or runs/NAME-2, ... : the first that does not exist. @return its path
  static std::filesystem::path make_unused(std::string const& name);

  /// Opens the folder of an earlier run to read it, and to write files whole.
  /// @throws InputError if it is none
  static RunDirectory open(std::filesystem::path const& path);

  /// Keeps other processes from training this run, as long as this object lives.
  /// @throws InputError if one does
  void lock();

  std::filesystem::path const& path() const { return path_; }
  std::string config() const { return path_ / "config.toml"; }
  std::string metrics() const { return path_ / "metrics.jsonl"; }
  std::string summary() const { return path_ / "summary.json"; }
  std::string checkpoint(std::int64_t stage) const;
  /// Paths of the checkpoints, the latest last.
  std::vector<std::string> checkpoints() const;

  /// Removes all checkpoints but the last two.
  void prune_checkpoints() const;

  /// Removes what a killed process had not finished writing.
  void remove_partial_files() const;

  /// The whole rows of metrics.jsonl, one JSON text each; a last row that is cut short is left out.
  /// @throws InputError if the file cannot be read, or another row is broken
  std::vector<std::string> read_metrics() const;

  /// The rows of the first `stages` stages.
  /// @throws InputError as read_metrics(), and naming the row at fault unless there is one for each stage, in order
  std::vector<std::string> read_history(std::int64_t stages) const;

  /// These become all rows of metrics.jsonl.
  void write_metrics(std::vector<std::string> const& rows) const;

  /// Writes a file of that name aside and renames it. @throws Error naming the file if it cannot be written
  void write(std::string const& name, std::string const& text) const;

  /// Appends one row to metrics.jsonl. @throws Error naming the file if it cannot be written
  void append_metrics(std::string const& row);

  /// A run with summary.json is finished.
  void write_summary(std::string const& text) const;
  void remove_summary() const;

 private:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  /// Fills a new folder.
  RunDirectory(std::filesystem::path path, std::string const& configuration);

  std::filesystem::path path_;
  std::optional<FolderLock> lock_ = {};
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> metrics_{nullptr, std::fclose};
};

}  // namespace shoal
