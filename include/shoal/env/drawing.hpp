// What a person sees of a state: shapes in world coordinates, x to the right and y downwards, from (0, 0). Host only.
// An environment fills one in draw() (contract.hpp); `shoal watch` makes terminal pictures, GIFs and pages of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace shoal {

/// Red, green and blue, 0 to 255.
struct Color {
  std::uint8_t r, g, b;
  friend bool operator==(Color const&, Color const&) = default;
};

/// `share` in [0, 1] of `over`, the rest of `under`.
inline Color mix(Color under, Color over, float share) {
  auto const channel = [&](std::uint8_t a, std::uint8_t b) {
    return std::uint8_t(float(a) + (float(b) - float(a)) * share + 0.5f);
  };
  return {channel(under.r, over.r), channel(under.g, over.g), channel(under.b, over.b)};
}

/// Colors that people with any color vision tell apart (Okabe and Ito, 2008), and greys.
namespace palette {
inline constexpr Color paper{252, 252, 250}, floor{238, 238, 234}, faint{204, 204, 200}, grey{140, 140, 138},
    wall{88, 92, 98}, ink{40, 42, 46};
inline constexpr Color blue{0, 114, 178}, orange{230, 159, 0}, green{0, 158, 115}, red{213, 94, 0},
    purple{204, 121, 167}, sky{86, 180, 233}, yellow{240, 228, 66};
/// Of agents, by their index.
inline constexpr Color agents[] = {blue, red, green, purple, sky, orange};
inline Color agent(int i) { return agents[i % 6]; }
}  // namespace palette

/// Everything lies within [0, width] x [0, height]. All drawings of an episode have the same size and number of text
/// lines.
/// Text is ASCII. One character is half a unit wide and one unit high where a picture is as small as text allows.
struct Drawing {
  /// Unit squares that cover [0, columns] x [0, rows].
  struct Cells {
    int columns = 0, rows = 0;
    std::vector<Color> colors = {};  // row by row

    void fill(int n_columns, int n_rows, Color color) {
      columns = n_columns, rows = n_rows;
      colors.assign(std::size_t(n_columns) * std::size_t(n_rows), color);
    }
    Color& at(int x, int y) { return colors[std::size_t(y) * std::size_t(columns) + std::size_t(x)]; }
    Color at(int x, int y) const { return colors[std::size_t(y) * std::size_t(columns) + std::size_t(x)]; }
    friend bool operator==(Cells const&, Cells const&) = default;
  };
  /// Ends are cut off square, so that a thick line is a bar.
  struct Line {
    float x0, y0, x1, y1, width;
    Color color;
    friend bool operator==(Line const&, Line const&) = default;
  };
  struct Disc {
    float x, y, radius;
    Color color;
    std::string label = {};  // in its middle, a few characters
    friend bool operator==(Disc const&, Disc const&) = default;
  };
  /// The middle of the text's left end is at (x, y).
  struct Label {
    float x, y;
    std::string text;
    Color color = palette::ink;
    friend bool operator==(Label const&, Label const&) = default;
  };

  float width = 0, height = 0;
  /// In the order in which they are painted.
  Cells cells = {};
  std::vector<Line> lines = {};
  std::vector<Disc> discs = {};
  std::vector<Label> labels = {};
  std::vector<std::string> text = {};  // below the picture

  friend bool operator==(Drawing const&, Drawing const&) = default;
};

/// "  1.25": a number with so many decimals, at least `width` characters. For labels and text lines.
std::string number_text(double x, int decimals, int width = 0);

}  // namespace shoal
