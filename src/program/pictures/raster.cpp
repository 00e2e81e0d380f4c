#include "program/pictures/raster.hpp"

#include <algorithm>
#include <cmath>

namespace shoal {

namespace {

constexpr int smooth_scale = 8;  // pixels a unit from which edges are smooth and cells are apart
constexpr float smallest_radius = 0.75f, thinnest = 0.8f;  // pixels, so that something is there at any scale

/// How much of a pixel lies inside, of 16 points of it.
template <class Inside>
float coverage(float x, float y, float pixel, Inside inside) {
  int count = 0;
  for (int k = 0; k < 16; ++k)
    count += inside(x + (float(k % 4) + 0.5f) / 4 * pixel, y + (float(k / 4) + 0.5f) / 4 * pixel);
  return float(count) / 16;
}

/// Paints what lies inside, all of it within [x0, x1] x [y0, y1]. Few shades, so that a GIF has colors for them.
template <class Inside>
void paint(Image& image, int scale, float x0, float y0, float x1, float y1, Color color, Inside inside) {
  auto const first = [&](float at) { return std::max(0, int(std::floor(at * float(scale)))); };
  auto const last = [&](float at, int most) { return std::min(most, int(std::ceil(at * float(scale)))); };
  float const pixel = 1 / float(scale);
  for (int y = first(y0); y < last(y1, image.height); ++y)
    for (int x = first(x0); x < last(x1, image.width); ++x) {
      float const share = coverage(float(x) * pixel, float(y) * pixel, pixel, inside);
      float const shade = scale < smooth_scale ? float(share >= 0.4f) : std::round(share * 4) / 4;
      image.at(x, y) = mix(image.at(x, y), color, shade);
    }
}

void paint(Image& image, int scale, Drawing::Cells const& cells) {
  for (int y = 0; y < std::min(image.height, cells.rows * scale); ++y)
    for (int x = 0; x < std::min(image.width, cells.columns * scale); ++x) {
      bool const border = scale >= smooth_scale && (x % scale == scale - 1 || y % scale == scale - 1);
      image.at(x, y) = mix(cells.at(x / scale, y / scale), palette::paper, border ? 0.4f : 0.0f);
    }
}

void paint(Image& image, int scale, Drawing::Line const& line) {
  float const dx = line.x1 - line.x0, dy = line.y1 - line.y0, length = std::hypot(dx, dy);
  if (length == 0) return;
  float const half = std::max(line.width, thinnest / float(scale)) / 2, along_x = dx / length, along_y = dy / length;
  float const wide_x = half * std::abs(along_y), wide_y = half * std::abs(along_x);
  paint(image, scale, std::min(line.x0, line.x1) - wide_x, std::min(line.y0, line.y1) - wide_y,
        std::max(line.x0, line.x1) + wide_x, std::max(line.y0, line.y1) + wide_y, line.color, [&](float x, float y) {
          float const along = (x - line.x0) * along_x + (y - line.y0) * along_y;
          float const across = (x - line.x0) * along_y - (y - line.y0) * along_x;
          return along >= 0 && along <= length && std::abs(across) <= half;
        });
}

void paint(Image& image, int scale, Drawing::Disc const& disc) {
  float const r = std::max(disc.radius, smallest_radius / float(scale));
  paint(image, scale, disc.x - r, disc.y - r, disc.x + r, disc.y + r, disc.color,
        [&](float x, float y) { return (x - disc.x) * (x - disc.x) + (y - disc.y) * (y - disc.y) <= r * r; });
}

}  // namespace

Image rasterize(Drawing const& drawing, int scale) {
  auto const pixels = [&](float length) { return int(std::ceil(length * float(scale))); };
  Image image(pixels(drawing.width), pixels(drawing.height), palette::paper);
  paint(image, scale, drawing.cells);
  for (auto const& line : drawing.lines) paint(image, scale, line);
  for (auto const& disc : drawing.discs) paint(image, scale, disc);
  return image;
}

Color readable_on(Color color) {
  float const light = 0.299f * float(color.r) + 0.587f * float(color.g) + 0.114f * float(color.b);
  return light > 150 ? Color{0, 0, 0} : Color{255, 255, 255};
}

}  // namespace shoal
