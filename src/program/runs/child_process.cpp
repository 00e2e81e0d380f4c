#include "program/runs/child_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "program/runs/text_file.hpp"
#include "shoal/core/error.hpp"

namespace shoal {

namespace {

constexpr int cannot_run = 127;

/// In the child, between fork and exec: only what a signal handler may do.
[[noreturn]] void become(char const* program, char* const* arguments, int log, pid_t parent,
                         sigset_t const& unblocked) {
  // A signal that comes before exec would otherwise end in the parent's handler, and be forgotten.
  for (int const number : {SIGINT, SIGTERM, SIGHUP})
    if (std::signal(number, SIG_DFL) == SIG_IGN && number == SIGHUP) std::signal(number, SIG_IGN);
  sigprocmask(SIG_SETMASK, &unblocked, nullptr);
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGINT);
  if (getppid() != parent) _exit(cannot_run);  // it died before we asked
  int const nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(nothing, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execv(program, arguments);
  char const* const reason = strerrordesc_np(errno);
  for (auto const* text : {"shoal: cannot run ", program, ": ", reason, "\n"})
    if (write(STDERR_FILENO, text, std::strlen(text)) < 0) break;
  _exit(cannot_run);
}

}  // namespace

ChildProcess::ChildProcess(std::string const& program, std::vector<std::string> const& command,
                           std::string const& log) {
  std::vector<char*> arguments;
  for (auto const& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  int const file = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) cannot_write(log);
  pid_t const parent = getpid();
  sigset_t all, unblocked;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &unblocked);
  pid_ = fork();
  if (pid_ == 0) become(program.c_str(), arguments.data(), file, parent, unblocked);
  int const error = errno;
  sigprocmask(SIG_SETMASK, &unblocked, nullptr);
  close(file);
  if (pid_ < 0) throw Error(fmt::format("cannot start a process: {}", std::strerror(error)));
}

std::optional<int> ChildProcess::poll() {
  int status = 0;
  if (!code_ && waitpid(pid_, &status, WNOHANG) == pid_)
    code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return code_;
}

void ChildProcess::interrupt() const {
  if (!code_) kill(pid_, SIGINT);
}

}  // namespace shoal
