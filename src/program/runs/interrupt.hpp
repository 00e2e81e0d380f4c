// Ctrl-C for commands that run long: the first asks for an end, the second ends the program at once.
#pragma once

#include <string>

namespace shoal {

/// Watches SIGINT, SIGTERM and, unless it is ignored, SIGHUP from now on. None has come yet.
void catch_interrupts();

/// What the first one is answered with at once, on standard error; by default that the program is about to end.
void answer_interrupts(std::string const& text);

bool interrupted();

}  // namespace shoal
