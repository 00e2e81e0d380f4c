// The kernel of gradients has the bits of its body on the CPU.
#include <torch/cuda.h>

#include "shoal/ops/ops.hpp"
#include "support/gradient_problem.hpp"

namespace shoal {
namespace {

using namespace test;

at::Tensor moved(at::Tensor const& x) { return x.defined() ? x.to(at::kCUDA) : x; }

TEST(GradientKernel, HasTheBitsOfItsBody) {
  if (!torch::cuda::is_available()) GTEST_SKIP() << "no CUDA device";
  for (auto const& of : gradient_cases())
    for (std::int64_t const rows : {1, 65, 5000}) {
      SCOPED_TRACE(testing::PrintToString(of.shape.hidden) + ", rows " + std::to_string(rows));
      GradientProblem problem(of, rows);
      auto const expected = gradients_by_body(problem);
      auto const terms = problem.terms.clone();
      ActorCritic const network(of.shape, 1, at::kCUDA);
      network.parameters().copy_(problem.network.parameters());
      network.gradients().fill_(NAN);
      for (auto* const tensor :
           {&problem.index, &problem.observations, &problem.old_log_sd, &problem.old_parameters,
            &problem.old_log_probabilities, &problem.advantages, &problem.returns, &problem.weights,
            &problem.actions.continuous, &problem.actions.discrete, &problem.actions.masks, &problem.kl_coefficient})
        *tensor = moved(*tensor);
      auto const own_terms = at::zeros({4}, network.parameters().options());
      auto loss = problem.loss();
      loss.log_sd = network.log_sd().data_ptr<float>();
      auto args = gradient_args(network, loss, problem.observations, own_terms);
      auto const parts = at::full({args.parts_of_batch() * args.part_size()}, NAN,
                                  network.parameters().options().requires_grad(false));
      args.parts = parts.data_ptr<float>();
      ASSERT_TRUE(ops::can_differentiate(args, at::Device(at::kCUDA, 0)));
      ops::differentiate(args, at::Device(at::kCUDA, 0));
      EXPECT_TRUE(at::equal(network.gradients().cpu(), expected));
      EXPECT_TRUE(at::equal(own_terms.cpu(), terms));
    }
}

}  // namespace
}  // namespace shoal
