// What a CUDA simulator does beside playing: states that travel, supertypes, metrics, streams, graphs, errors.
#include <algorithm>

#include "cases.hpp"

namespace shoal {

namespace {

class Stream {
 public:
  Stream() { SHOAL_CUDA_CHECK(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking)); }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(Stream const&) = delete;
  Stream& operator=(Stream const&) = delete;
  operator cudaStream_t() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

using Bytes = std::vector<std::byte>;

Bytes exported(Simulator& sim, int instance) {
  Bytes bytes(sim.state_size());
  sim.export_state(instance, bytes);
  return bytes;
}

void move_states(DevicePlayer& from, DevicePlayer& to) {
  for (int i = 0; i < from.instances; ++i) {
    auto const state = exported(*from.sim, i);
    to.sim->import_state(i, state);
    ASSERT_EQ(exported(*to.sim, i), state) << "instance " << i;
  }
  to.observe();
}

// `from` plays, `to` takes over its states; from there on both play alike.
void expect_continues(Case const& c, Device from_device, Device to_device) {
  constexpr int instances = 5;
  DevicePlayer from(simulator(c, instances, 4, from_device)), to(simulator(c, instances, 4, to_device));
  from.reset(), to.reset();
  for (int t = 0; t < 3; ++t) from.step(Play::random, t), to.step(Play::ties, t);
  ASSERT_NE(from.observations.host, to.observations.host);
  move_states(from, to);
  ASSERT_EQ(difference("observations", from.observations.host, to.observations.host, instances, from.group.agents), "");
  for (int t = 3; t < 13; ++t) {
    from.step(Play::random, t), to.step(Play::random, t);
    ASSERT_EQ(difference("rewards", from.rewards.host, to.rewards.host, instances, from.group.agents), "")
        << "step " << t;
    ASSERT_EQ(difference("observations", from.observations.host, to.observations.host, instances, from.group.agents),
              "")
        << "step " << t;
  }
}

std::string message_of(SimulatorOptions const& options) {
  try {
    make_simulator("market", {}, options);
  } catch (InputError const& error) {
    return error.what();
  }
  return "";
}

}  // namespace

class CudaSimulatorTest : public CudaTest {};

TEST_F(CudaSimulatorTest, StatesTravelBetweenDevices) {
  for (auto const* c : {&market_case(), &matrix_game_case()}) {
    SCOPED_TRACE(c->name);
    expect_continues(*c, Device::cuda, Device::cpu);
    expect_continues(*c, Device::cpu, Device::cuda);
    expect_continues(*c, Device::cuda, Device::cuda);
  }
}

TEST_F(CudaSimulatorTest, SupertypesWrittenOnTheDeviceTakeEffectAtTheNextReset) {
  DevicePlayer cpu(simulator(market_case(), 33, 2, Device::cpu)), cuda(simulator(market_case(), 33, 2, Device::cuda));
  DevicePlayer untouched(simulator(market_case(), 33, 2, Device::cpu));
  auto const values = cpu.sim->supertypes();
  EXPECT_EQ(to_host(cuda.sim->supertypes()), to_host(values)) << "before: the initial ones";
  for (int i = 0; i < 33; ++i) values(i, 0, i % 10) = 0.03f * float(i);  // link probabilities of merchant 1
  SHOAL_CUDA_CHECK(cudaMemcpy(cuda.sim->supertypes().data, values.data, std::size_t(values.size()) * sizeof(float),
                              cudaMemcpyHostToDevice));
  cuda.reset(), untouched.reset();
  EXPECT_NE(untouched.observations.host, cuda.observations.host);
  cpu.reset();
  expect_same_play(cpu, cuda, Play::random, 12);
}

TEST_F(CudaSimulatorTest, ClearedMetricsCountFromThereOn) {
  for (auto const* c : {&market_case(), &matrix_game_case()}) {
    DevicePlayer cpu(simulator(*c, 33, 6, Device::cpu)), cuda(simulator(*c, 33, 6, Device::cuda));
    expect_same_play(cpu, cuda, Play::random, 8);
    auto const counted = to_host(cuda.sim->metrics().episodes);
    EXPECT_GT(*std::max_element(counted.begin(), counted.end()), 0) << "the episodes are long for this test";
    cpu.sim->clear_metrics(), cuda.sim->clear_metrics();
    EXPECT_EQ(to_host(cuda.sim->metrics().episodes), std::vector<std::int32_t>(33));
    EXPECT_EQ(metrics_difference(cpu, cuda), "");
    for (int t = 0; t < 8; ++t) cpu.step(Play::random, t), cuda.step(Play::random, t);
    EXPECT_EQ(metrics_difference(cpu, cuda), "");
  }
}

TEST_F(CudaSimulatorTest, TwoSimulatorsOnTwoStreamsDoNotMeet) {
  Stream first, second;
  DevicePlayer cpu_a(simulator(market_case(), 1000, 1, Device::cpu)),
      cpu_b(simulator(market_case(), 1000, 2, Device::cpu));
  DevicePlayer a(simulator(market_case(), 1000, 1, Device::cuda), first),
      b(simulator(market_case(), 1000, 2, Device::cuda), second);
  for (auto* player : {&cpu_a, &cpu_b, &a, &b}) player->reset(), player->choose(Play::random, 0);
  for (int t = 0; t < 6; ++t)
    for (auto* player : {&a, &b, &cpu_a, &cpu_b}) player->step_again();
  a.fetch(), b.fetch();
  EXPECT_EQ(difference(cpu_a, a), "");
  EXPECT_EQ(difference(cpu_b, b), "");
}

TEST_F(CudaSimulatorTest, ANewStreamWaitsForTheOld) {
  Stream first, second;
  cudaStream_t const streams[] = {nullptr, second, first};
  DevicePlayer cpu(simulator(market_case(), 1000, 1, Device::cpu)),
      cuda(simulator(market_case(), 1000, 1, Device::cuda), first);
  cpu.reset(), cuda.reset();
  cpu.choose(Play::random, 0), cuda.choose(Play::random, 0);
  for (int t = 0; t < 12; ++t) {
    cuda.use_stream(streams[t % 3]);
    cpu.step_again(), cuda.step_again();
  }
  cuda.fetch();
  EXPECT_EQ(difference(cpu, cuda), "");
}

TEST_F(CudaSimulatorTest, AStepReplaysAsAGraph) {
  Stream stream;
  DevicePlayer cpu(simulator(matrix_game_case(), 33, 1, Device::cpu)),
      cuda(simulator(matrix_game_case(), 33, 1, Device::cuda), stream);
  cpu.reset(), cuda.reset();
  cpu.choose(Play::random, 0), cuda.choose(Play::random, 0);
  SHOAL_CUDA_CHECK(cudaStreamSynchronize(stream));
  cudaGraph_t graph;
  cudaGraphExec_t replay;
  SHOAL_CUDA_CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
  cuda.step_again();
  SHOAL_CUDA_CHECK(cudaStreamEndCapture(stream, &graph));
  SHOAL_CUDA_CHECK(cudaGraphInstantiate(&replay, graph, 0));
  for (int t = 0; t < 9; ++t) {
    cpu.step_again();
    SHOAL_CUDA_CHECK(cudaGraphLaunch(replay, stream));
  }
  cuda.fetch();
  EXPECT_EQ(difference(cpu, cuda), "");
  EXPECT_EQ(metrics_difference(cpu, cuda), "");
  SHOAL_CUDA_CHECK(cudaGraphExecDestroy(replay));
  SHOAL_CUDA_CHECK(cudaGraphDestroy(graph));
}

TEST_F(CudaSimulatorTest, ShapesAreChecked) {
  auto const sim = simulator(market_case(), 3, 1, Device::cuda);
  EXPECT_THROW(sim->reset(StepOutput{}), InputError);
  EXPECT_THROW(sim->step(StepInput{}, StepOutput{}), InputError);
  Bytes few(1);
  EXPECT_THROW(sim->export_state(0, few), InputError);
  Bytes state(sim->state_size());
  EXPECT_THROW(sim->export_state(3, state), InputError);
}

// These need no device.

TEST(CudaSimulatorErrors, OtherTeamsAreForTheCpu) {
  EXPECT_EQ(message_of({.device = Device::cuda, .team = "scrambled:7"}),
            "team = \"scrambled:7\": expected \"serial\"; other teams are for device \"cpu\"");
}

TEST(CudaSimulatorErrors, NoDeviceIsSaidInOneLine) {
  if (cuda::no_device().empty()) GTEST_SKIP() << "there is a CUDA device";
  auto const message = message_of({.device = Device::cuda});
  EXPECT_TRUE(message.starts_with("device = \"cuda\": no CUDA device found (")) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

TEST(CudaCheck, NamesCallPlaceAndReason) {
  try {
    SHOAL_CUDA_CHECK(cudaErrorMemoryAllocation);
    FAIL();
  } catch (Error const& error) {
    std::string const message = error.what();
    EXPECT_TRUE(message.starts_with("CUDA: cudaErrorMemoryAllocation at simulator_test.cu:")) << message;
    EXPECT_TRUE(message.ends_with(": out of memory")) << message;
  }
}

}  // namespace shoal
