#include "program/pictures/gif.hpp"

#include <fmt/format.h>
#include <gif_lib.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "program/pictures/raster.hpp"
#include "shoal/core/error.hpp"

namespace shoal {

namespace {

constexpr int glyph = GIF_FONT_WIDTH;        // pixels of giflib's letters, which are square
constexpr int line_height = 12, margin = 8;  // pixels, of text and around everything
constexpr int widest = 512;                  // pixels, of a picture whose scale can be chosen

// ---- The picture ----------------------------------------------------------------------------------------------------

/// A multiple of two letters a unit, for text is as wide as half a unit.
int scale_of(Drawing const& d) {
  constexpr int step = 2 * glyph;
  float const side = std::max({d.width, d.height, 1.0f});
  return step * std::clamp(int(float(widest) / (step * side)), 1, 4);
}

/// @param size  pixels of a letter, a multiple of giflib's
void write(Image& image, int left, int top, int size, std::string const& text, Color color) {
  int const dot = size / glyph;
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size * int(text.size()); ++x) {
      auto const letter = std::uint8_t(text[std::size_t(x / size)]) % 128;
      bool const inked = GifAsciiTable8x8[letter][y / dot] >> (glyph - 1 - x % size / dot) & 1;
      if (inked && image.has(left + x, top + y)) image.at(left + x, top + y) = color;
    }
}

Image picture_of(Drawing const& d) {
  int const scale = scale_of(d), size = glyph * std::max(1, scale / (4 * glyph));
  auto image = rasterize(d, scale);
  auto const pixels = [&](float at) { return int(std::lround(at * float(scale))); };
  for (auto const& disc : d.discs) {
    int const width = size * int(disc.label.size());
    write(image, pixels(disc.x) - width / 2, pixels(disc.y) - size / 2, size, disc.label, readable_on(disc.color));
  }
  for (auto const& label : d.labels)
    write(image, pixels(label.x), pixels(label.y) - size / 2, size, label.text, label.color);
  return image;
}

/// Caption, picture and text one below the other. @param size  of the first frame, which all have
Image page_of(Title const& title, Frame const& frame, std::optional<std::pair<int, int>> size) {
  auto const above = caption(title, frame);
  auto const& below = frame.drawing.text;
  auto const picture = picture_of(frame.drawing);
  if (!size) {
    std::size_t longest = 40;  // a caption's numbers may become longer
    for (auto const* lines : {&above, &below})
      for (auto const& line : *lines) longest = std::max(longest, line.size());
    int const texts = int(above.size() + below.size());
    size = {std::max(picture.width, glyph * int(longest)) + 2 * margin,
            picture.height + texts * line_height + 4 * margin};
  }
  Image page(size->first, size->second, palette::paper);
  int top = margin;
  auto const put = [&](std::vector<std::string> const& lines) {
    for (auto const& line : lines) write(page, margin, top, glyph, line, palette::ink), top += line_height;
  };
  put(above);
  top += margin;
  int const left = (page.width - picture.width) / 2;
  for (int y = 0; y < picture.height; ++y)
    for (int x = 0; x < picture.width; ++x)
      if (page.has(left + x, top + y)) page.at(left + x, top + y) = picture.at(x, y);
  top += picture.height + margin;
  put(below);
  return page;
}

// ---- The file -------------------------------------------------------------------------------------------------------

struct Box {
  int left, top, right, bottom;  // the last two are outside
};

/// What differs; one pixel where nothing does.
Box difference(Image const& before, Image const& now) {
  Box box{now.width, now.height, 0, 0};
  for (int y = 0; y < now.height; ++y)
    for (int x = 0; x < now.width; ++x)
      if (before.at(x, y) != now.at(x, y))
        box = {std::min(box.left, x), std::min(box.top, y), std::max(box.right, x + 1), std::max(box.bottom, y + 1)};
  return box.right > 0 ? box : Box{0, 0, 1, 1};
}

constexpr std::size_t most_colors = 255;  // and one that is transparent

/// The most frequent colors of the box, and for every color there the number of the nearest of them.
struct Colors {
  std::vector<Color> list;
  std::map<std::uint32_t, int> number;
};

std::uint32_t key(Color c) { return std::uint32_t(c.r) << 16 | std::uint32_t(c.g) << 8 | c.b; }

Colors colors_of(Image const& image, Box const& box) {
  std::map<std::uint32_t, int> counts;
  for (int y = box.top; y < box.bottom; ++y)
    for (int x = box.left; x < box.right; ++x) ++counts[key(image.at(x, y))];
  std::vector<std::pair<int, std::uint32_t>> order;
  for (auto const& [color, count] : counts) order.emplace_back(-count, color);
  std::sort(order.begin(), order.end());
  auto const color_of = [](std::uint32_t k) {
    return Color{std::uint8_t(k >> 16), std::uint8_t(k >> 8), std::uint8_t(k)};
  };
  Colors colors;
  for (auto const& [count, k] : order) {
    if (colors.list.size() < most_colors) colors.list.push_back(color_of(k));
    auto const far = [c = color_of(k)](Color o) {
      int const r = c.r - o.r, g = c.g - o.g, b = c.b - o.b;
      return r * r + g * g + b * b;
    };
    colors.number[k] = int(
        std::min_element(colors.list.begin(), colors.list.end(), [&](Color a, Color b) { return far(a) < far(b); }) -
        colors.list.begin());
  }
  return colors;
}

int append(GifFileType* gif, GifByteType const* bytes, int size) {
  static_cast<std::string*>(gif->UserData)->append(reinterpret_cast<char const*>(bytes), std::size_t(size));
  return size;
}

}  // namespace

struct Gif::Encoder {
  Title title;
  int delay;  // hundredths of a second
  std::string bytes = {};
  GifFileType* file = nullptr;
  Image last = {};

  ~Encoder() {
    if (file) EGifCloseFile(file, nullptr);
  }

  static void check(int status) {
    if (status != GIF_OK) throw Error("the GIF cannot be encoded");
  }

  void begin() {
    file = EGifOpen(&bytes, append, nullptr);
    check(file ? GIF_OK : GIF_ERROR);
    EGifSetGifVersion(file, true);
    check(EGifPutScreenDesc(file, last.width, last.height, 8, 0, nullptr));
    constexpr std::uint8_t for_ever[] = {1, 0, 0};
    check(EGifPutExtensionLeader(file, APPLICATION_EXT_FUNC_CODE));
    check(EGifPutExtensionBlock(file, 11, "NETSCAPE2.0"));
    check(EGifPutExtensionBlock(file, sizeof for_ever, for_ever));
    check(EGifPutExtensionTrailer(file));
  }

  /// Only what differs from the frame before; what does not is transparent, which compresses well.
  void put(Image const& image, bool first, int hundredths) {
    auto const box = first ? Box{0, 0, image.width, image.height} : difference(last, image);
    auto const colors = colors_of(image, box);
    int const transparent = int(colors.list.size());
    std::vector<GifColorType> map(std::bit_ceil(colors.list.size() + 1));
    for (std::size_t i = 0; i < colors.list.size(); ++i)
      map[i] = {colors.list[i].r, colors.list[i].g, colors.list[i].b};
    GraphicsControlBlock const control{.DisposalMode = DISPOSE_DO_NOT,
                                       .UserInputFlag = false,
                                       .DelayTime = hundredths,
                                       .TransparentColor = transparent};
    GifByteType extension[4];
    EGifGCBToExtension(&control, extension);
    check(EGifPutExtension(file, GRAPHICS_EXT_FUNC_CODE, sizeof extension, extension));
    std::unique_ptr<ColorMapObject, void (*)(ColorMapObject*)> const object(
        GifMakeMapObject(int(map.size()), map.data()), GifFreeMapObject);
    check(EGifPutImageDesc(file, box.left, box.top, box.right - box.left, box.bottom - box.top, false, object.get()));
    std::vector<GifPixelType> row(std::size_t(box.right - box.left));
    for (int y = box.top; y < box.bottom; ++y) {
      for (int x = box.left; x < box.right; ++x) {
        bool const same = !first && last.at(x, y) == image.at(x, y);
        row[std::size_t(x - box.left)] = GifPixelType(same ? transparent : colors.number.at(key(image.at(x, y))));
      }
      check(EGifPutLine(file, row.data(), int(row.size())));
    }
  }
};

Gif::Gif(Title title, double fps)
    : encoder_(new Encoder{.title = std::move(title), .delay = int(std::lround(100 / fps))}) {}
Gif::Gif(Gif&&) noexcept = default;
Gif::~Gif() = default;

void Gif::add(Frame const& frame) {
  auto& e = *encoder_;
  bool const first = !e.file;
  auto const size = first ? std::nullopt : std::optional(std::pair(e.last.width, e.last.height));
  auto image = page_of(e.title, frame, size);
  if (first) {
    e.last = image;
    e.begin();
  }
  e.put(image, first, e.delay + (frame.ended == Ended::no ? 0 : 100));
  e.last = std::move(image);
}

std::string Gif::finish() {
  auto& e = *encoder_;
  if (!e.file) throw Error("a GIF needs a frame");
  Encoder::check(EGifCloseFile(std::exchange(e.file, nullptr), nullptr));
  return std::move(e.bytes);
}

}  // namespace shoal
