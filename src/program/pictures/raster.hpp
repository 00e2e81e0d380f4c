// A drawing as pixels: what terminal pictures and GIFs share.
#pragma once

#include <vector>

#include "shoal/env/drawing.hpp"

namespace shoal {

struct Image {
  int width = 0, height = 0;
  std::vector<Color> pixels = {};  // row by row

  Image() = default;
  Image(int w, int h, Color color) : width(w), height(h), pixels(std::size_t(w) * std::size_t(h), color) {}
  Color& at(int x, int y) { return pixels[std::size_t(y) * std::size_t(width) + std::size_t(x)]; }
  Color at(int x, int y) const { return pixels[std::size_t(y) * std::size_t(width) + std::size_t(x)]; }
  bool has(int x, int y) const { return x >= 0 && y >= 0 && x < width && y < height; }
};

/// Cells, lines and discs with `scale` pixels a unit, without any text. From 8 pixels a unit on edges are smooth.
Image rasterize(Drawing const& drawing, int scale);

/// Black or white, whichever is easier to read on the color.
Color readable_on(Color color);

}  // namespace shoal
