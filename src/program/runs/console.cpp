#include "program/runs/console.hpp"

#include <c10/util/Exception.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <ios>
#include <nlohmann/json.hpp>
#include <string_view>

#include "shoal/core/error.hpp"
#include "shoal/core/resources.hpp"
#include "shoal/core/text.hpp"
#include "shoal/train/memory.hpp"

namespace shoal {

namespace {

constexpr std::size_t longest_message = 1000;
constexpr int error_patience = 1000;  // milliseconds
constexpr char const* too_little_memory = "not enough memory; fewer train.instances or train.steps need less";

bool only_errors = false;           // tell() says nothing
std::string error_name = "shoal";   // who reports an error
bool pipes_end_the_program = true;  // whether SIGPIPE was not ignored when the program began

void write_to_stderr(std::string_view text, int patience) {
  for (std::size_t done = 0; done < text.size();) {
    pollfd reader{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    if (poll(&reader, 1, patience) <= 0 || !(reader.revents & POLLOUT)) return;
    // A pipe that is ready takes this much without waiting.
    auto const n = write(STDERR_FILENO, text.data() + done, std::min<std::size_t>(text.size() - done, PIPE_BUF));
    if (n < 0 && errno != EINTR) return;
    if (n > 0) done += std::size_t(n);
  }
}

std::string first_line(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

}  // namespace

void reserve_standard_descriptors() {
  int file = 0;
  while (file >= 0 && file <= STDERR_FILENO) file = open("/dev/null", O_RDONLY);  // the lowest that is free
  if (file >= 0) close(file);
  pipes_end_the_program = std::signal(SIGPIPE, SIG_IGN) == SIG_DFL;
}

bool is_live_terminal(int descriptor) {
  char const* const kind = std::getenv("TERM");
  return isatty(descriptor) && kind && std::strcmp(kind, "dumb") != 0 && *kind;
}

void tell_errors_alone(std::string const& name) {
  only_errors = true;
  error_name = name;
}

void tell(std::string_view text, int patience) {
  if (!only_errors) write_to_stderr(text, patience);
}

void warn_about_threads(std::string const& key, int threads) {
  if (auto const warning = too_many_threads(key, threads); !warning.empty())
    tell(fmt::format("warning: {}\n", warning));
}

void tell_error(std::string const& message) {
  auto text = printable(message, std::string::npos);
  if (text.size() > longest_message) {  // what was wrong with a long name stands behind it
    auto const tail = text.substr(text.size() - longest_message / 2);
    text = printable(text, longest_message / 2) + printable(tail.substr(tail.find(' ') + 1));
  }
  write_to_stderr(fmt::format("{}: {}\n", error_name, text), error_patience);
}

void tell_failure(std::string const& folder, std::exception const& error) {
  auto const text = description(error);
  tell_error(text.starts_with(folder + ": ") ? text : fmt::format("{}: {}", folder, text));
}

void finish_output() {
  if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return;
  if (errno == EPIPE && pipes_end_the_program) {  // `shoal list | head`: ends as other programs do
    std::signal(SIGPIPE, SIG_DFL);
    std::raise(SIGPIPE);
  }
  throw Error(fmt::format("standard output: cannot write: {}", std::strerror(errno)));
}

std::string description(std::exception const& error) {
  if (dynamic_cast<Error const*>(&error)) return error.what();
  if (is_out_of_memory(error)) return too_little_memory;
  if (auto const* const file = dynamic_cast<std::filesystem::filesystem_error const*>(&error))
    return fmt::format("{}: {}", file->path1().string(), file->code().message());
  if (dynamic_cast<std::ios_base::failure const*>(&error)) return "a file cannot be read: is it a folder?";
  if (auto const* const system = dynamic_cast<std::system_error const*>(&error))  // of fmt::print()
    return fmt::format("standard output: cannot write: {}", system->code().message());
  if (dynamic_cast<nlohmann::json::exception const*>(&error)) return "a JSON file does not hold what it should";
  if (auto const* const torch = dynamic_cast<c10::Error const*>(&error))
    return "LibTorch: " + first_line(torch->what_without_backtrace());
  return first_line(error.what());
}

}  // namespace shoal
