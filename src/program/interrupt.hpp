// Ctrl-C for commands that run long: the first asks for an end, the second ends the program at once.
#pragma once

namespace shoal {

/// Watches SIGINT and SIGTERM from now on. None has come yet.
void catch_interrupts();

bool interrupted();

}  // namespace shoal
