#include "src/nn/dense.hpp"

#include "shoal/core/hash.hpp"
#include "shoal/core/random.hpp"
#include "support/helpers.hpp"

namespace shoal {
namespace {

using namespace test;

/// The same perceptron in LibTorch and double, over one flat tensor of parameters.
at::Tensor plain(std::vector<int> const& widths, at::Tensor const& parameters, at::Tensor x) {
  std::int64_t at = 0;
  for (std::size_t l = 1; l < widths.size(); ++l) {
    std::int64_t const in = widths[l - 1], out = widths[l];
    auto const weight = parameters.narrow(0, at, out * in).view({out, in});
    x = at::matmul(x, weight.t()) + parameters.narrow(0, at + out * in, out);
    if (l + 1 < widths.size()) x = at::tanh(x);
    at += out * (in + 1);
  }
  EXPECT_EQ(at, parameters.numel());
  return x;
}

struct Case {
  std::vector<int> widths;
  int rows;
};

// Widths and rows on both sides of whole vectors and tiles, wide outputs, no hidden layer.
std::vector<Case> const cases = {{{21, 64, 64, 3}, 120}, {{21, 64, 64, 1}, 128}, {{5, 1}, 7},        {{1, 1, 1}, 1},
                                 {{3, 17, 40}, 13},      {{40, 50, 9, 30}, 31},  {{7, 100, 6}, 128}, {{2, 8, 16}, 6}};

TEST(DenseMlp, OutputsAndGradientsEqualAutograd) {
  for (auto const& [widths, rows] : cases) {
    SCOPED_TRACE(::testing::Message() << widths.size() - 1 << " layers, " << widths[0] << " inputs, " << rows
                                      << " rows");
    DenseMlp mlp(widths);
    auto const parameters = random_normal({mlp.parameters()}, 1) * 0.3;
    auto const x = random_normal({rows, widths.front()}, 2), g = random_normal({rows, widths.back()}, 3);
    auto const wide = parameters.to(at::kDouble).set_requires_grad(true);
    auto const expected = plain(widths, wide, x.to(at::kDouble));
    (expected * g.to(at::kDouble)).sum().backward();

    mlp.pack(parameters.data_ptr<float>());
    auto workspace = mlp.workspace();
    mlp.forward(workspace, x.data_ptr<float>(), rows);
    auto const rows_of = [&](float* data) {
      return at::from_blob(data, {rows, mlp.output_stride()}, at::kFloat).narrow(1, 0, mlp.outputs());
    };
    EXPECT_LT(distance(rows_of(workspace.output()), expected), 1e-5);
    rows_of(workspace.output_gradient()).copy_(g);
    std::vector<float> sums(std::size_t(mlp.gradient_sums()), 0.0f);
    auto const gradients = at::empty({mlp.parameters()}, at::kFloat);
    for (int times = 1; times <= 2; ++times) {
      mlp.backward(workspace, x.data_ptr<float>(), rows, sums.data());
      mlp.unpack(sums.data(), gradients.data_ptr<float>());
      EXPECT_LT(distance(gradients, times * wide.grad()), 1e-5 * rows);
    }
  }
}

TEST(DenseMlp, ARowsResultDoesNotDependOnTheOthers) {
  DenseMlp mlp({21, 64, 64, 3});
  mlp.pack((random_normal({mlp.parameters()}, 1) * 0.3).data_ptr<float>());
  auto const x = random_normal({128, 21}, 2);
  auto whole = mlp.workspace(), part = mlp.workspace();
  mlp.forward(whole, x.data_ptr<float>(), 128);
  for (int first : {0, 5, 127})
    for (int rows : {1, 4, 11}) {
      if (first + rows > 128) continue;
      mlp.forward(part, x.data_ptr<float>() + first * 21, rows);
      for (int i = 0; i < rows * mlp.output_stride(); ++i)
        ASSERT_EQ(part.output()[i], whole.output()[first * mlp.output_stride() + i]);
    }
}

#ifdef __FMA__
// Recorded with AVX2 and with AVX-512. Another value means that training runs end in other bits: see CHANGELOG.md.
TEST(DenseMlp, HasTheSameBitsWithAnyWidthOfVectors) {
  TrajectoryHash hash;
  for (auto const& [widths, rows] : cases) {
    std::uint32_t number = 0;
    auto const drawn = [&](std::int64_t count) {
      std::vector<float> values;
      for (std::int64_t i = 0; i < count; ++i) values.push_back(Random{}.draw(Purpose::test, ++number).unit(0) - 0.5f);
      return values;
    };
    DenseMlp mlp(widths);
    auto const parameters = drawn(mlp.parameters()), x = drawn(std::int64_t(rows) * widths.front());
    mlp.pack(parameters.data());
    auto workspace = mlp.workspace();
    mlp.forward(workspace, x.data(), rows);
    for (int r = 0; r < rows; ++r)
      for (int o = 0; o < mlp.outputs(); ++o) {
        float& output = workspace.output()[r * mlp.output_stride() + o];
        hash.add(output);
        workspace.output_gradient()[r * mlp.output_stride() + o] = output - 1;
      }
    std::vector<float> sums(std::size_t(mlp.gradient_sums()), 0.0f), gradients(std::size_t(mlp.parameters()));
    mlp.backward(workspace, x.data(), rows, sums.data());
    mlp.unpack(sums.data(), gradients.data());
    for (float const g : gradients) hash.add(g);
  }
  EXPECT_EQ(hash.value(), 0xf306edbcf9e3a61full);
}
#endif

}  // namespace
}  // namespace shoal
