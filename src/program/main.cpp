// The program `shoal`.
#include "program/commands/command_line.hpp"

int main(int argc, char** argv) { return shoal::run_command_line(argc, argv, {.program = "/proc/self/exe"}); }
