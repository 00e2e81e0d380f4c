// Who wants to trade with the market's merchants in a step, and the step's prices.
#pragma once

#include <cstdint>

#include "shoal/core/bernoulli.hpp"
#include "shoal/core/draws.hpp"
#include "shoal/envs/market_rules.hpp"

namespace shoal {

/// A part of the market's step, on its Scratch.
struct MarketCustomers : MarketRules {
  /// Who wants to trade, and the step's prices. One loop without branches draws all that most parameters need: of a
  /// cluster's first four words, one tells the direction, three who arrives, if the probability is a multiple of 1/8.
  /// Customers need 50 bits of a word; what is left of the first four gives the prices.
  template <class Team, class Scratch>
  SHOAL_FN static void draw(Team team, Params const& p, Scratch& w, Random random) {
    draw_bits(team, random, Purposes::arrivals, 0, 2 * clusters, w.random);
    bool const all = p.arriving.value >> 24;
    std::uint64_t const d0 = digit(p.arriving, 0), d1 = digit(p.arriving, 1), d2 = digit(p.arriving, 2);
    team.each(clusters, [&](int c) {
      Comparison customer{everyone};
      customer.add(d0, w.random[1][c]);
      customer.add(d1, w.random[0][clusters + c]);
      customer.add(d2, w.random[1][clusters + c]);
      w.arriving[c] = all ? everyone : customer.ones;
      w.undecided[c] = customer.undecided;
      w.wanting[0][c] = w.random[0][c];
    });
    team.once([&] {
      auto const left = [&](int i) {  // 28 bits
        return std::uint32_t(w.random[0][i] >> customers << 18 | w.random[1][i] >> customers << 4);
      };
      float move, spread;
      Words{{left(0), left(1), 0, 0}}.normals(0, move, spread);
      w.log_return = -0.5f * p.sigma * p.sigma + p.sigma * move;
      w.next_spread = draw_spread(p, spread);
    });
    int const needed = digits(p.arriving);
    for (int i = 3; i < needed && !all; i += 4) draw_more(team, p, w, random, i);
    team.each(clusters, [&](int c) {
      std::uint64_t const buying = w.wanting[0][c];
      w.wanting[0][c] = w.remaining[0][c] = w.arriving[c] & buying;
      w.wanting[1][c] = w.remaining[1][c] = w.arriving[c] & ~buying;
    });
  }

 private:
  /// Digits i to i + 3 of the comparisons with the arrival probability, where they matter.
  template <class Team, class Scratch>
  SHOAL_FN static void draw_more(Team team, Params const& p, Scratch& w, Random random, int i) {
    std::uint64_t undecided = 0;
    for (int c = 0; c < clusters; ++c) undecided |= w.undecided[c];
    if (!undecided) return;
    draw_bits(team, random, Purposes::arrivals, std::uint32_t(i * 32), 2 * clusters, w.random);
    std::uint64_t const d0 = digit(p.arriving, i), d1 = digit(p.arriving, i + 1), d2 = digit(p.arriving, i + 2),
                        d3 = digit(p.arriving, i + 3);
    team.each(clusters, [&](int c) {
      Comparison customer{w.undecided[c], w.arriving[c]};
      customer.add(d0, w.random[0][c]);
      customer.add(d1, w.random[1][c]);
      customer.add(d2, w.random[0][clusters + c]);
      customer.add(d3, w.random[1][clusters + c]);
      w.undecided[c] = customer.undecided;
      w.arriving[c] = customer.ones;
    });
  }
};

}  // namespace shoal
