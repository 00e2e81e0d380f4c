// A program that runs beside this one, for commands that start several.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace shoal {

class ChildProcess {
 public:
  /// Starts the program of that path; `command` is its name and arguments. What it prints is appended to the file
  /// `log`. It is in a process group of its own: a terminal's Ctrl-C reaches the parent alone, which passes it on by
  /// interrupt(). When the parent dies, it is interrupted too.
  /// @throws Error if it cannot be started
  ChildProcess(std::string const& program, std::vector<std::string> const& command, std::string const& log);

  /// The exit code once it has ended, 128 + N after signal N; nothing while it runs.
  std::optional<int> poll();
  void interrupt() const;

 private:
  pid_t pid_;
  std::optional<int> code_ = {};
};

}  // namespace shoal
