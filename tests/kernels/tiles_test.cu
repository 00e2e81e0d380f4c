// How many threads work on an instance must not show: tiles of 1, 8 and 32 lanes and whole blocks play as the CPU does.
#include "cases.hpp"
#include "envs/all.hpp"
#include "shoal/env/cuda_simulator.cuh"

namespace shoal {

template <class Env, int Lanes>
void expect_as_cpu(Case const& c) {
  SCOPED_TRACE(testing::Message() << c.name << ", " << Lanes << " lanes");
  typename Env::Params params;
  read_settings(params, c.params);
  Env::prepare(params);
  constexpr int instances = 33;
  DevicePlayer cpu(simulator(c, instances, 3, Device::cpu));
  DevicePlayer cuda(std::make_unique<CudaSimulator<Env, Lanes>>(params, options_of(c, instances, 3, Device::cuda)));
  expect_same_play(cpu, cuda, c.play, 7);
}

class Tiles : public CudaTest {};

TEST_F(Tiles, OneLane) {
  expect_as_cpu<Market, 1>(market_case());
  expect_as_cpu<MatrixGame, 1>(matrix_game_case());
}

TEST_F(Tiles, EightLanes) {
  expect_as_cpu<Market, 8>(market_case());
  expect_as_cpu<MatrixGame, 8>(matrix_game_case());
}

TEST_F(Tiles, OneWarp) { expect_as_cpu<MatrixGame, 32>(matrix_game_case()); }  // Market's own: parity_test.cu

TEST_F(Tiles, WholeBlock) {
  expect_as_cpu<Market, 96>(market_case());
  expect_as_cpu<MatrixGame, 64>(matrix_game_case());
}

}  // namespace shoal
