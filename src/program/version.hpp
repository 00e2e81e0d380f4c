// Which shoal this is. SHOAL_VERSION is the project's version.
#pragma once

namespace shoal {

/// `git describe --always --dirty` when the program was built; "unknown" outside a repository. Defined by
/// cmake/Commit.cmake.
char const* commit();

}  // namespace shoal
