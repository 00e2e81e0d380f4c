// One writer a folder: a lock that ends with the process, however that ends.
#pragma once

#include <filesystem>
#include <string>

namespace shoal {

class FolderLock {
 public:
  /// Takes the folder's lock; filesystems without locks have none to take.
  /// @param inherited  children hold it too: it is free when the last of them has ended
  /// @param busy       the message if somebody else holds it
  /// @throws InputError with that message
  FolderLock(std::filesystem::path const& folder, bool inherited, std::string const& busy);
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&& other) noexcept;
  ~FolderLock();

 private:
  int file_;  // a descriptor; -1: none
};

}  // namespace shoal
