// A moment of an episode, to be shown.
#pragma once

#include <string>
#include <vector>

#include "shoal/env/contract.hpp"
#include "shoal/env/drawing.hpp"

namespace shoal {

struct Frame {
  int episode = 1, step = 0;            // of the episode, counted from 1; steps so far
  std::vector<float> rewards, returns;  // of each agent: of the step; of the episode so far
  Ended ended = Ended::no;              // with this step
  Drawing drawing = {};
};

/// What all frames of a picture have in common.
struct Title {
  std::string text;  // what is played
  int most_steps;    // of an episode
};

/// Says where the play is, then rewards and returns: lines of text above a picture.
std::vector<std::string> caption(Title const& title, Frame const& frame);

}  // namespace shoal
