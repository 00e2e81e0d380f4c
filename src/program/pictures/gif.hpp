// Frames as an animated GIF.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "program/pictures/frame.hpp"

namespace shoal {

class Gif {
 public:
  /// @param fps  frames a second, in [0.1, 50]: a GIF counts in hundredths of a second
  Gif(Title title, double fps);
  Gif(Gif&&) noexcept;
  ~Gif();

  /// All frames have the size of the first. An episode's last frame stays for a second more.
  void add(Frame const& frame);

  /// The whole file; nothing can be added after that. @throws Error if there is no frame
  std::string finish();

 private:
  struct Encoder;
  std::unique_ptr<Encoder> encoder_;
};

}  // namespace shoal
