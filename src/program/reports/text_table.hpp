// Text for a screen of 100 columns: wrapped cells and labels.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace shoal {

inline constexpr std::size_t screen_columns = 100;

/// Spaces that this stands for do not wrap.
inline constexpr char unbreakable = '\t';

/// A label and what is said about it.
using Labelled = std::pair<std::string, std::string>;

/// Texts beside their labels, both aligned, wrapped at the screen's width.
std::string label_table(std::vector<Labelled> const& rows);

/// Four aligned columns. Cells wrap within theirs: the first three are at most as wide as `widest`, the last takes the
/// rest.
std::string four_columns(std::vector<std::array<std::string, 4>> const& rows, std::array<std::size_t, 3> const& widest);

/// Cells in columns as wide as they need: the first `left` ones aligned to the left, the others, numbers, to the right.
/// Nothing wraps.
std::string number_table(std::vector<std::vector<std::string>> const& rows, std::size_t left);

}  // namespace shoal
