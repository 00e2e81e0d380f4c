// Frames as one HTML page that needs nothing else.
#pragma once

#include <string>
#include <vector>

#include "program/pictures/frame.hpp"

namespace shoal {

class Page {
 public:
  /// @param fps  frames a second at first
  Page(Title title, double fps);

  void add(Frame const& frame);

  /// The whole file.
  std::string finish() const;

 private:
  Title title_;
  double fps_;
  std::vector<std::string> frames_ = {};  // as JSON
};

}  // namespace shoal
