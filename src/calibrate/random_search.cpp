#include "src/calibrate/random_search.hpp"

#include <ATen/ATen.h>

#include "src/calibrate/search_random.hpp"

namespace shoal {

at::Tensor RandomSearch::next(SearchHistory const& history) const {
  auto const tried = history.values.size(0);
  return tried == 0 ? initial_.clone() : at::rand(initial_.sizes(), search_generator(seed_, tried), at::kDouble);
}

}  // namespace shoal
