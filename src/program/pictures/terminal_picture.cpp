#include "program/pictures/terminal_picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "program/pictures/raster.hpp"

namespace shoal {

namespace {

constexpr int largest_scale = 16;
constexpr auto reset = "\x1b[0m";

std::string cut(std::string const& text, int columns) { return text.substr(0, std::size_t(columns)); }

// ---- In colors ------------------------------------------------------------------------------------------------------

/// The nearest of xterm's 6 x 6 x 6 colors and 24 greys.
int color_256(Color c) {
  constexpr std::array levels{0, 95, 135, 175, 215, 255};
  auto const index = [&](int x) {
    return int(std::min_element(levels.begin(), levels.end(),
                                [&](int a, int b) { return std::abs(a - x) < std::abs(b - x); }) -
               levels.begin());
  };
  auto const far = [&](int r, int g, int b) {
    return (c.r - r) * (c.r - r) + (c.g - g) * (c.g - g) + (c.b - b) * (c.b - b);
  };
  int const r = index(c.r), g = index(c.g), b = index(c.b);
  int const shade = std::clamp(((c.r + c.g + c.b) / 3 - 3) / 10, 0, 23), grey = 8 + 10 * shade;
  bool const is_grey =
      far(grey, grey, grey) < far(levels[std::size_t(r)], levels[std::size_t(g)], levels[std::size_t(b)]);
  return is_grey ? 232 + shade : 16 + 36 * r + 6 * g + b;
}

/// A character of the picture: the upper half of it in one color on another, or a letter.
struct Glyph {
  Color front, back;
  char letter = 0;  // 0: the upper half block
};

std::string escape(int ground, Color c, bool true_color) {
  if (true_color) return fmt::format("\x1b[{};2;{};{};{}m", ground, c.r, c.g, c.b);
  return fmt::format("\x1b[{};5;{}m", ground, color_256(c));
}

std::string line_of(std::vector<Glyph> const& glyphs, bool true_color) {
  std::string text;
  std::optional<Color> front, back;
  for (auto const& g : glyphs) {
    if (front != g.front) text += escape(38, g.front, true_color);
    if (back != g.back) text += escape(48, g.back, true_color);
    front = g.front, back = g.back;
    text += g.letter ? std::string(1, g.letter) : "\u2580";
  }
  return text + reset;
}

using Glyphs = std::vector<std::vector<Glyph>>;

Glyphs half_blocks(Image const& image) {
  Glyphs rows;
  for (int y = 0; y < image.height; y += 2) {
    auto& row = rows.emplace_back();
    for (int x = 0; x < image.width; ++x)
      row.push_back({image.at(x, y), y + 1 < image.height ? image.at(x, y + 1) : palette::paper});
  }
  return rows;
}

/// Letters from a column on, on what is there; in `color`, or what can be read on it.
void write(Glyphs& rows, int column, int row, std::string const& text, std::optional<Color> color) {
  if (row < 0 || row >= int(rows.size())) return;
  auto& glyphs = rows[std::size_t(row)];
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto const at = std::size_t(std::max(column, 0)) + i;
    if (at >= glyphs.size() || text[i] == ' ') continue;
    auto& g = glyphs[at];
    g = {color.value_or(readable_on(g.back)), g.back, text[i]};
  }
}

/// The largest at which the picture has at most so many columns and rows; at least 1.
int scale_for(Drawing const& d, int columns, int rows) {
  int scale = largest_scale;
  while (scale > 1 && (d.width * float(scale) > float(columns) || d.height * float(scale) > 2 * float(rows))) --scale;
  return scale;
}

// ---- In plain characters --------------------------------------------------------------------------------------------

/// Two characters a unit; what lies outside is dropped.
class Canvas {
 public:
  explicit Canvas(Drawing const& d)
      : rows_(std::size_t(std::ceil(d.height)), std::string(std::size_t(std::ceil(2 * d.width)), ' ')) {}

  void put(int column, int row, char c) {
    if (row < 0 || row >= int(rows_.size()) || column < 0 || column >= int(rows_[0].size())) return;
    rows_[std::size_t(row)][std::size_t(column)] = c;
  }
  void put(float x, float y, std::string const& text) {
    for (std::size_t i = 0; i < text.size(); ++i)
      if (text[i] != ' ') put(int(2 * x) + int(i), int(y), text[i]);
  }
  void put(Drawing::Line const& line) {
    float const dx = line.x1 - line.x0, dy = line.y1 - line.y0;
    int const count = int(2 * std::max(std::abs(dx), std::abs(dy)));
    for (int k = 0; k < count; ++k) {
      float const at = (float(k) + 0.5f) / float(count);
      put(int(2 * (line.x0 + at * dx)), int(line.y0 + at * dy),
          std::abs(dx) < std::abs(dy) ? '|'
          : line.width < 0.3f         ? '-'
                                      : '=');
    }
  }

  /// Without blanks at the ends of lines.
  std::vector<std::string> lines() const {
    auto result = rows_;
    for (auto& line : result) line.erase(line.find_last_not_of(' ') + 1);
    return result;
  }

 private:
  std::vector<std::string> rows_;
};

}  // namespace

std::vector<std::string> terminal_picture(std::vector<std::string> const& caption, Drawing const& drawing,
                                          Terminal const& terminal) {
  int const texts = int(caption.size() + drawing.text.size());
  int const scale = scale_for(drawing, terminal.columns, terminal.rows - 1 - texts);
  auto rows = half_blocks(rasterize(drawing, scale));
  auto const column = [&](float x) { return int(std::round(x * float(scale))); };
  auto const row = [&](float y) { return int(y * float(scale) / 2); };
  for (auto const& disc : drawing.discs)
    write(rows, int(disc.x * float(scale) - float(disc.label.size()) / 2), row(disc.y), disc.label, {});
  for (auto const& label : drawing.labels) write(rows, column(label.x), row(label.y), label.text, label.color);

  std::vector<std::string> lines;
  for (auto const& text : caption) lines.push_back(cut(text, terminal.columns));
  for (auto& glyphs : rows) {
    if (int(glyphs.size()) > terminal.columns) glyphs.resize(std::size_t(terminal.columns), glyphs[0]);
    lines.push_back(line_of(glyphs, terminal.true_color));
  }
  for (auto const& text : drawing.text) lines.push_back(cut(text, terminal.columns));
  if (int(lines.size()) >= terminal.rows) lines.resize(std::size_t(std::max(terminal.rows - 1, 1)));
  return lines;
}

std::vector<std::string> plain_picture(std::vector<std::string> const& caption, Drawing const& drawing) {
  Canvas canvas(drawing);
  auto const& cells = drawing.cells;
  for (int y = 0; y < cells.rows; ++y)
    for (int x = 0; x < cells.columns; ++x) {
      bool const dark = readable_on(cells.at(x, y)) == Color{255, 255, 255};
      canvas.put(float(x), float(y), dark ? "##" : ".");
    }
  for (auto const& line : drawing.lines) canvas.put(line);
  for (auto const& disc : drawing.discs) canvas.put(disc.x - 0.5f, disc.y, disc.label.empty() ? "o" : disc.label);
  for (auto const& label : drawing.labels) canvas.put(label.x, label.y, label.text);
  auto lines = caption;
  for (auto const& line : canvas.lines()) lines.push_back(line);
  for (auto const& line : drawing.text) lines.push_back(line);
  return lines;
}

}  // namespace shoal
