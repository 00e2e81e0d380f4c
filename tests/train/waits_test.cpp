// On CUDA a stage waits for the device once, when its figures are read. The operators that would wait more often are
// known, and LibTorch names all operators as they run, on the CPU too.
#include <ATen/record_function.h>
#include <gmock/gmock.h>

#include <mutex>

#include "shoal/env/simulator.hpp"
#include "shoal/learn/ppo.hpp"
#include "shoal/train/trainer.hpp"
#include "support/helpers.hpp"

namespace shoal {
namespace {

/// Names of the operators that run while it lives.
class Operators {
 public:
  Operators() {
    names().clear();
    handle_ = at::addGlobalCallback(at::RecordFunctionCallback([](at::RecordFunction const& f) {
                                      std::lock_guard const lock(mutex());
                                      names().emplace_back(f.name());
                                      return std::unique_ptr<at::ObserverContext>();
                                    }).scopes({at::RecordScope::FUNCTION}));
  }
  ~Operators() { at::removeCallback(handle_); }
  Operators(Operators const&) = delete;
  Operators& operator=(Operators const&) = delete;

  /// Those that make a number or a shape on the host out of a tensor's values: on CUDA they wait.
  std::vector<std::string> waiting() const {
    std::vector<std::string> found;
    for (auto const& name : names())
      for (char const* wait : {"aten::item", "aten::_local_scalar_dense", "aten::is_nonzero", "aten::nonzero",
                               "aten::equal", "aten::masked_select", "aten::_unique2", "aten::bincount"})
        if (name == wait) found.push_back(name);
    return found;
  }
  std::size_t count() const { return names().size(); }

 private:
  static std::mutex& mutex() {
    static std::mutex m;
    return m;
  }
  static std::vector<std::string>& names() {
    static std::vector<std::string> all;
    return all;
  }
  at::CallbackHandle handle_;
};

TEST(Waits, AreSeen) {
  Operators const operators;
  EXPECT_EQ(at::ones({2}).sum().item<float>(), 2);
  EXPECT_FALSE(operators.waiting().empty());
}

// The path that CUDA takes: LibTorch's networks and autograd.
TEST(Waits, NoneInRolloutAndUpdateByLibTorch) {
  auto const simulator = make_simulator("market", {}, {.instances = 8, .seed = 1});
  auto const rollout = make_rollout(rollout_shape(*simulator, 4), at::kCPU);
  for (bool const all_agents : {true, false}) {
    PpoLearner learner(
        {.epochs = 2, .minibatches = 2, .kl_coefficient = 0.2},
        {.agents = all_agents ? std::vector{0, 1, 2, 3, 4} : std::vector{0, 3}, .seed = 1, .fused = false},
        {.inputs = rollout.shape.width, .hidden = {8}, .actions = rollout.shape.actions}, rollout.shape, at::kCPU);
    simulator->reset(rollout.first());
    Operators const operators;
    learner.begin(1);
    for (int t = 0; t < 4; ++t) {
      learner.actor().act(rollout, t);
      simulator->step(rollout.input(t), rollout.output(t));
    }
    learner.actor().evaluate_end(rollout);
    learner.update(rollout);
    EXPECT_GT(operators.count(), 50u);
    EXPECT_THAT(operators.waiting(), testing::IsEmpty());
  }
}

// All else of a stage: profiles, rewards, figures. On the CPU alone, LibTorch's std() of all values of a tensor, the
// rewards, makes a number of their mean (aten::item and what it calls).
TEST(Waits, NoneInACalibratedStage) {
  TrainerConfig config{.environment = "market"};
  config.env = {{"steps", std::int64_t(5)}};
  config.policy.network.hidden = {1, {8}};
  config.policy.ppo.epochs = config.policy.ppo.minibatches = 2;
  config.train = {.stages = 100, .instances = 8, .seed = 1, .threads = 1, .device = DeviceChoice::cpu};
  config.targets = {{{"supertype_1.share"}, {0.3}, 1, 0.1}};
  for (auto const kind : {CalibratorKind::es, CalibratorKind::rl}) {
    config.calibrator.emplace().kind = kind;
    Trainer trainer(config);
    trainer.run_stage();
    Operators const operators;
    trainer.run_stage();
    EXPECT_GT(operators.count(), 50u);
    EXPECT_LE(operators.waiting().size(), 2u) << int(kind) << testing::PrintToString(operators.waiting());
  }
}

}  // namespace
}  // namespace shoal
