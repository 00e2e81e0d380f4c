// Customers of the market to whom several merchants quote the same price, and the merchant that each of them chooses.
#pragma once

#include <cstdint>

#include "shoal/core/bits.hpp"
#include "shoal/core/draws.hpp"
#include "shoal/envs/market_rules.hpp"

namespace shoal {

/// Working memory for it, and the functions that use it: a part of the market's Scratch.
template <int Capacity>
struct MarketTies : MarketRules {
  std::uint64_t again[Capacity][clusters];  // customers to whom the merchant is one more of several equal choices
  std::uint64_t tied[clusters];             // all of these
  std::uint64_t group[clusters];            // customers of the merchants of one eps so far
  std::uint64_t moving[clusters];           // customers who leave their first choice
  int packs;                                // words into which the tied customers are packed
  int begin[clusters + 1];                  // the first cluster of each
  int place[clusters];                      // where a cluster's customers begin in its word
  std::uint64_t random[2][4 * Capacity];
  std::uint64_t chance[Capacity + 1];   // bits that are 1 with probability 1/k
  std::uint64_t candidate[Capacity];    // packed customers who have the merchant as one more choice; then who choose it
  std::uint64_t choices[Capacity + 1];  // packed customers who have met k choices so far
  std::uint64_t moved;                  // packed customers who leave their first choice

  /// Customers to whom several merchants quote the same choose one of these, uniformly and independently. match() gave
  /// them the first; the k-th choice that they meet replaces the one before with probability 1/k. They are few: the
  /// tied customers of all clusters and both sides are packed into few words, which random words decide on at once. 1/k
  /// is a multiple of 2^-24.
  template <class Team, class State, class Scratch>
  SHOAL_FN static void share(Team team, Params const& p, State const& s, Scratch& w, Random random) {
    int most = 0;
    for (int m = 0; m < Capacity; ++m) most = max(most, max(w.equals[0][m], w.equals[1][m]));
    if (most < 2) return;
    find(team, p, s, w);
    for (int pack = 0; pack < w.ties.packs; ++pack) {
      pack_customers(team, p, w.ties, pack);
      draw_chances(team, p, w.ties, pack, most, random);
      team.once([&] { choose(p, w.ties, most); });
      unpack(team, p, w, pack);
    }
  }

  template <class Team, class State, class Scratch>
  SHOAL_FN static void find(Team team, Params const& p, State const& s, Scratch& w) {
    auto& ties = w.ties;
    team.each(p.merchants, clusters, [&](int m, int c) { ties.again[m][c] = 0; });
    team.each(clusters, [&](int c) { ties.tied[c] = 0; });
    for (int side = 0; side < 2; ++side) {
      float const* const eps = side == 0 ? s.eps_sell : s.eps_buy;
      for (int rank = 0; rank < p.merchants; ++rank) {
        int const m = w.order[side][rank];
        if (w.equals[side][m] < 2) continue;
        if (rank == 0 || eps[w.order[side][rank - 1]] != eps[m])
          team.each(clusters, [&](int c) { ties.group[c] = w.taken[side][m][c]; });
        else
          team.each(clusters, [&](int c) {
            std::uint64_t const again = ties.group[c] & s.links[m][c];
            ties.again[m][c] |= again;
            ties.tied[c] |= again;
            ties.group[c] |= w.taken[side][m][c];
          });
      }
    }
    team.once([&] {
      ties.packs = 0;
      int place = 64;
      for (int c = 0; c < clusters; ++c) {
        int const count = popcount(ties.tied[c]);
        if (place + count > 63) ties.begin[ties.packs++] = c, place = 0;
        ties.place[c] = place;
        place += count;
      }
      ties.begin[ties.packs] = clusters;
    });
  }

  template <class Team>
  SHOAL_FN static void pack_customers(Team team, Params const& p, MarketTies& ties, int pack) {
    team.each(p.merchants, [&](int m) {
      std::uint64_t packed = 0;
      for (int c = ties.begin[pack]; c < ties.begin[pack + 1]; ++c)
        packed |= gather_bits(ties.again[m][c], ties.tied[c]) << ties.place[c];
      ties.candidate[m] = packed;
    });
  }

  /// Eight words for each k are drawn in one loop; most comparisons need no more.
  template <class Team>
  SHOAL_FN static void draw_chances(Team team, Params const& p, MarketTies& ties, int pack, int most, Random random) {
    std::uint32_t const first = std::uint32_t(pack) * 1024;
    draw_bits(team, random, Purposes::ties, first, (most - 1) * 4, ties.random);
    std::uint64_t packed = 0;
    for (int m = 0; m < p.merchants; ++m) packed |= ties.candidate[m];
    team.each(most - 1, [&](int i) {
      auto const word = [&](int j) {
        if (j < 8) return ties.random[j % 2][4 * i + j / 2];
        return random.draw(Purposes::ties, first + std::uint32_t(512 + 16 * i + j / 2)).bits64(j % 2);
      };
      auto const k = std::uint32_t(i + 2);
      ties.chance[k] = bernoulli_bits({((1u << 24) + k / 2) / k}, packed, word);
    });
  }

  SHOAL_FN static void choose(Params const& p, MarketTies& ties, int most) {
    ties.choices[1] = ~std::uint64_t(0);
    for (int k = 2; k <= most; ++k) ties.choices[k] = 0;
    for (int m = 0; m < p.merchants; ++m) {
      std::uint64_t choose = 0;
      for (int k = most; k > 1; --k) {
        std::uint64_t const meet = ties.choices[k - 1] & ties.candidate[m];
        ties.choices[k - 1] ^= meet;
        ties.choices[k] |= meet;
        choose |= meet & ties.chance[k];
      }
      ties.candidate[m] = choose;
    }
    ties.moved = 0;
    for (int m = p.merchants - 1; m >= 0; --m) {  // the last choice counts
      ties.candidate[m] &= ~ties.moved;
      ties.moved |= ties.candidate[m];
    }
  }

  template <class Team, class Scratch>
  SHOAL_FN static void unpack(Team team, Params const& p, Scratch& w, int pack) {
    auto& ties = w.ties;
    int const begin = ties.begin[pack], count = ties.begin[pack + 1] - begin;
    team.each(count, [&](int i) {
      int const c = begin + i;
      ties.moving[c] = scatter_bits(ties.moved >> ties.place[c], ties.tied[c]);
    });
    team.each(p.merchants, count, [&](int m, int i) {
      int const c = begin + i;
      std::uint64_t const choose = scatter_bits(ties.candidate[m] >> ties.place[c], ties.tied[c]);
      for (int side = 0; side < 2; ++side)
        w.taken[side][m][c] = (w.taken[side][m][c] & ~ties.moving[c]) | (choose & w.wanting[side][c]);
    });
  }
};

}  // namespace shoal
