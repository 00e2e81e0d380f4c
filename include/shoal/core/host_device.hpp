// Marks functions that compile for the CPU and for CUDA from the same source; with _INLINED, those that are inlined
// whatever their size.
#pragma once

#ifdef __CUDACC__
#define SHOAL_FN __host__ __device__ inline
#define SHOAL_FN_INLINED __host__ __device__ __forceinline__
#else
#define SHOAL_FN inline
#define SHOAL_FN_INLINED inline __attribute__((always_inline))
#endif
