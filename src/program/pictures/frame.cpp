#include "program/pictures/frame.hpp"

#include <fmt/format.h>

#include <numeric>

namespace shoal {

namespace {

constexpr std::size_t most_agents = 8;   // that fit into a line
constexpr std::size_t number_width = 6;  // of a number

/// Three significant digits, or two where that is too long.
std::string short_number(float x) {
  auto const text = fmt::format("{:.3g}", x);
  return text.size() <= number_width ? text : fmt::format("{:.2g}", x);
}

std::string values_text(char const* name, std::vector<float> const& values) {
  auto text = fmt::format("{:<6}", name);
  if (values.size() > most_agents)
    return text + fmt::format(" {:.4g}, the sum of {} agents", std::accumulate(values.begin(), values.end(), 0.0),
                              values.size());
  for (float const x : values) text += fmt::format(" {:>{}}", short_number(x), number_width);
  return text;
}

}  // namespace

std::vector<std::string> caption(Title const& title, Frame const& frame) {
  auto const end = frame.ended == Ended::no ? "" : frame.ended == Ended::terminated ? ", terminated" : ", truncated";
  return {title.text,
          fmt::format("episode {}, step {} of at most {}{}", frame.episode, frame.step, title.most_steps, end),
          values_text("reward", frame.rewards), values_text("return", frame.returns)};
}

}  // namespace shoal
