// Marks functions that compile for the CPU and for CUDA from the same source.
#pragma once

#ifdef __CUDACC__
#define SHOAL_FN __host__ __device__ inline
#else
#define SHOAL_FN inline
#endif
