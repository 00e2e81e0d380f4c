#include "shoal/envs/matrix_game.hpp"

#include "kernels/sim/cuda_simulator.cuh"

template std::unique_ptr<shoal::Simulator> shoal::make_cuda_simulator<shoal::MatrixGame>(
    shoal::MatrixGame::Params const&, shoal::SimulatorOptions const&);
template std::unique_ptr<shoal::Simulator> shoal::make_cuda_simulator<shoal::SmallMatrixGame>(
    shoal::MatrixGame::Params const&, shoal::SimulatorOptions const&);
template std::unique_ptr<shoal::Simulator> shoal::make_cuda_simulator<shoal::SmallMatrixGame::Smaller>(
    shoal::MatrixGame::Params const&, shoal::SimulatorOptions const&);
