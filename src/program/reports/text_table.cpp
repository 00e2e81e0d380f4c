#include "program/reports/text_table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace shoal {

namespace {

/// The words of `text` in lines of at most `width`; a longer word has a line of its own.
std::vector<std::string> wrap(std::string const& text, std::size_t width) {
  std::vector<std::string> lines(1);
  for (std::size_t begin = 0; begin < text.size();) {
    auto const end = std::min(text.find(' ', begin), text.size());
    auto const word = text.substr(begin, end - begin);
    if (!lines.back().empty() && lines.back().size() + 1 + word.size() > width) lines.emplace_back();
    lines.back() += (lines.back().empty() ? "" : " ") + word;
    begin = end + 1;
  }
  for (auto& line : lines) std::replace(line.begin(), line.end(), unbreakable, ' ');
  return lines;
}

template <std::size_t N>
std::string print_row(std::array<std::string, N> const& row, std::array<std::size_t, N> const& width) {
  std::array<std::vector<std::string>, N> cells;
  std::size_t height = 0;
  for (std::size_t c = 0; c < N; ++c) {
    cells[c] = wrap(row[c], width[c]);
    height = std::max(height, cells[c].size());
  }
  std::string text;
  for (std::size_t i = 0; i < height; ++i) {
    std::string line;
    for (std::size_t c = 0; c < N; ++c)
      line += fmt::format("  {:<{}}", i < cells[c].size() ? cells[c][i] : "", width[c]);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

/// All columns but the last are as wide as their longest line after wrapping at `widest`.
template <std::size_t N>
std::string print_table(std::vector<std::array<std::string, N>> const& rows,
                        std::array<std::size_t, N - 1> const& widest) {
  std::array<std::size_t, N> width = {};
  std::size_t left = screen_columns - 2 * N;
  for (std::size_t c = 0; c + 1 < N; ++c) {
    for (auto const& row : rows)
      for (auto const& line : wrap(row[c], widest[c])) width[c] = std::max(width[c], line.size());
    left -= width[c];
  }
  width.back() = left;
  std::string text;
  for (auto const& row : rows) text += print_row(row, width);
  return text;
}

}  // namespace

std::string label_table(std::vector<Labelled> const& rows) {
  std::vector<std::array<std::string, 2>> cells;
  for (auto const& [label, text] : rows) cells.push_back({label, text});
  return print_table<2>(cells, {26});
}

std::string four_columns(std::vector<std::array<std::string, 4>> const& rows,
                         std::array<std::size_t, 3> const& widest) {
  return print_table<4>(rows, widest);
}

std::string number_table(std::vector<std::vector<std::string>> const& rows, std::size_t left) {
  std::vector<std::size_t> width(rows.front().size());
  for (auto const& row : rows)
    for (std::size_t c = 0; c < width.size(); ++c) width[c] = std::max(width[c], row[c].size());
  std::string text;
  for (auto const& row : rows) {
    for (std::size_t c = 0; c < width.size(); ++c)
      text += c < left ? fmt::format("  {:<{}}", row[c], width[c]) : fmt::format("  {:>{}}", row[c], width[c]);
    text += "\n";
  }
  return text;
}

}  // namespace shoal
