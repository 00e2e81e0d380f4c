// Frames as text: in colors for terminals, in plain characters for pipes.
#pragma once

#include <string>
#include <vector>

#include "shoal/env/drawing.hpp"

namespace shoal {

struct Terminal {
  int columns = 80, rows = 24;
  bool true_color = true;  // 24 bits; else the 256 colors of xterm
};

/// Two pixels a character, at the largest scale at which picture and text fit the terminal. What fits at no scale is
/// cut off.
/// @return lines without their ends; each is at most as wide as the terminal, and they are fewer than its rows
std::vector<std::string> terminal_picture(std::vector<std::string> const& caption, Drawing const& drawing,
                                          Terminal const& terminal);

/// Two characters a unit: cells that are dark as ##, others as dots, lines as - and |, discs as their label or o.
std::vector<std::string> plain_picture(std::vector<std::string> const& caption, Drawing const& drawing);

}  // namespace shoal
