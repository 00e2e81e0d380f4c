// A simulator behind the C interface, for tests: closes itself, and fails the test where a call fails.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "shoal.h"
#include "shoal/core/random.hpp"

namespace shoal::test {

class CSimulator {
 public:
  explicit CSimulator(char const* environment, char const* params = nullptr, int instances = 5, int threads = 1,
                      int pad_groups = 0) {
    shoal_options options;
    EXPECT_EQ(shoal_options_init(&options, sizeof options), SHOAL_OK);
    options.instances = instances;
    options.threads = threads;
    options.pad_groups = pad_groups;
    options.seed = 7;
    create(environment, params, options);
  }
  CSimulator(char const* environment, char const* params, shoal_options const& options) {
    create(environment, params, options);
  }
  ~CSimulator() {
    if (handle) close();
  }
  CSimulator(CSimulator const&) = delete;
  CSimulator& operator=(CSimulator const&) = delete;

  void close() {
    EXPECT_EQ(shoal_close(handle), SHOAL_OK) << shoal_last_error();
    handle = nullptr;
  }

  shoal_array array(int which, int group = 0) const {
    shoal_array out{};
    EXPECT_EQ(shoal_get_array(handle, which, group, &out, sizeof out), SHOAL_OK) << shoal_last_error();
    return out;
  }
  template <class T>
  T* data(int which, int group = 0) const {
    return static_cast<T*>(array(which, group).data);
  }
  shoal_spec spec() const {
    shoal_spec out{};
    EXPECT_EQ(shoal_get_spec(handle, &out, sizeof out), SHOAL_OK) << shoal_last_error();
    return out;
  }
  shoal_group group(int index = 0) const {
    shoal_group out{};
    EXPECT_EQ(shoal_get_group(handle, index, &out, sizeof out), SHOAL_OK) << shoal_last_error();
    return out;
  }

  /// Legal random actions of time `time` into shoal's own arrays.
  void draw_actions(int time) const {
    for (int g = 0; g < spec().groups; ++g) {
      auto const about = group(g);
      auto const rows = array(SHOAL_OBSERVATIONS, g).shape[0] * about.agents;
      for (int h = 0; h < about.continuous; ++h) draw_reals(g, h, rows, about.continuous, time);
      for (int h = 0; h < about.discrete; ++h) draw_picks(g, h, rows, about, time);
    }
  }

  void step(int time) const {
    draw_actions(time);
    ASSERT_EQ(shoal_step(handle), SHOAL_OK) << shoal_last_error();
  }

  shoal_simulator* handle = nullptr;

 private:
  void create(char const* environment, char const* params, shoal_options const& options) {
    EXPECT_EQ(shoal_create(&handle, environment, params, &options), SHOAL_OK) << shoal_last_error();
  }

  static Words words(int group, int head, std::int64_t row, int time) {
    return Random{5, std::uint32_t(time), std::uint32_t(group), std::uint32_t(head)}.draw(Purpose::test,
                                                                                          std::uint32_t(row));
  }

  void draw_reals(int g, int h, std::int64_t rows, int heads, int time) const {
    shoal_continuous_head head{};
    EXPECT_EQ(shoal_get_continuous_head(handle, g, h, &head, sizeof head), SHOAL_OK);
    auto* const out = data<float>(SHOAL_CONTINUOUS_ACTIONS, g);
    for (std::int64_t r = 0; r < rows; ++r)
      out[r * heads + h] = head.low + (head.high - head.low) * words(g, h, r, time).unit(0);
  }

  void draw_picks(int g, int h, std::int64_t rows, shoal_group const& about, int time) const {
    shoal_discrete_head head{};
    EXPECT_EQ(shoal_get_discrete_head(handle, g, h, &head, sizeof head), SHOAL_OK);
    auto* const out = data<std::int32_t>(SHOAL_DISCRETE_ACTIONS, g);
    auto const* const masks = data<std::uint8_t>(SHOAL_MASKS, g);
    for (std::int64_t r = 0; r < rows; ++r) {
      auto const* const legal = masks + r * about.choices + head.first_choice;
      int pick = int(words(g, 64 + h, r, time).w[0] % unsigned(head.choices));
      for (int tries = 0; !legal[pick] && tries < head.choices; ++tries) pick = (pick + 1) % head.choices;
      out[r * about.discrete + h] = pick;
    }
  }
};

/// That the call fails with this status and a message that holds `text`.
inline void expect_error(shoal_status status, shoal_status expected, std::string const& text) {
  EXPECT_EQ(status, expected) << shoal_last_error();
  EXPECT_NE(std::string(shoal_last_error()).find(text), std::string::npos) << shoal_last_error();
}

}  // namespace shoal::test
