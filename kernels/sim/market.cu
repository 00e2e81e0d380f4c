#include "shoal/envs/market.hpp"

#include "kernels/sim/cuda_simulator.cuh"

template std::unique_ptr<shoal::Simulator> shoal::make_cuda_simulator<shoal::Market>(shoal::Market::Params const&,
                                                                                     shoal::SimulatorOptions const&);
template std::unique_ptr<shoal::Simulator> shoal::make_cuda_simulator<shoal::PublishedMarket>(
    shoal::Market::Params const&, shoal::SimulatorOptions const&);
template std::unique_ptr<shoal::Simulator> shoal::make_cuda_simulator<shoal::PublishedMarket::Smaller>(
    shoal::Market::Params const&, shoal::SimulatorOptions const&);
