#include "program/runs/folder_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "shoal/core/error.hpp"

namespace shoal {

FolderLock::FolderLock(std::filesystem::path const& folder, bool inherited, std::string const& busy)
    : file_(open(folder.c_str(), O_RDONLY | O_DIRECTORY | (inherited ? 0 : O_CLOEXEC))) {
  bool const held = file_ >= 0 && flock(file_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  if (!held) return;
  close(file_);
  throw InputError(busy);
}

FolderLock::FolderLock(FolderLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

FolderLock& FolderLock::operator=(FolderLock&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

FolderLock::~FolderLock() {
  if (file_ >= 0) close(file_);
}

}  // namespace shoal
