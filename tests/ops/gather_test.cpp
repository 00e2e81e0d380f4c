#include "shoal/ops/gather.hpp"

#include "shoal/ops/ops.hpp"
#include "support/helpers.hpp"

namespace shoal {
namespace {

using namespace test;

struct Fields {
  std::vector<at::Tensor> from, to;
  at::Tensor index;
  GatherArgs args = {};

  Fields(std::int64_t rows, std::vector<std::int64_t> const& picks) : index(at::tensor(picks, at::kLong)) {
    for (auto const type : {at::kFloat, at::kInt, at::kByte})
      for (std::int64_t const width : {1, 3, 7, 64}) {
        from.push_back((random_unit({rows, width}, std::uint64_t(from.size())) * 200).to(type));
        to.push_back(at::zeros({index.numel(), width}, type));
        args.fields[args.count++] = {static_cast<std::uint8_t const*>(from.back().data_ptr()),
                                     static_cast<std::uint8_t*>(to.back().data_ptr()),
                                     int(width * std::int64_t(from.back().element_size()))};
      }
    args.index = index.data_ptr<std::int64_t>();
    args.rows = index.numel();
  }
  void expect_gathered() const {
    for (std::size_t f = 0; f < from.size(); ++f)
      EXPECT_TRUE(at::equal(to[f], from[f].index_select(0, index))) << "field " << f << ": " << from[f].scalar_type();
  }
};

TEST(Gather, EqualsIndexSelect) {
  Fields fields(50, {49, 0, 7, 7, 31, 48, 1});
  static_assert(GatherArgs::max_fields == 12);  // all in use
  ops::gather(fields.args, at::kCPU);
  fields.expect_gathered();
}

TEST(Gather, ManyRowsOnManyThreads) {
  std::vector<std::int64_t> picks;
  for (std::int64_t i = 0; i < 5000; ++i) picks.push_back(i * 7919 % 3001);
  Fields fields(3001, picks);
  ops::gather(fields.args, at::kCPU);
  fields.expect_gathered();
}

TEST(Gather, AnyOrderOfLanes) {
  Fields fields(20, {3, 19, 0});
  for (int row = 2; row >= 0; --row) gather_row(ScrambledTeam(5), fields.args, row);
  fields.expect_gathered();
}

TEST(Gather, NoRows) {
  Fields fields(20, {});
  ops::gather(fields.args, at::kCPU);
  fields.expect_gathered();
}

}  // namespace
}  // namespace shoal
