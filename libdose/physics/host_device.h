// The equations run on the CPU and on a CUDA device: one macro says so.
#pragma once

#if defined(__CUDACC__)
#define LIBDOSE_HD __host__ __device__
#else
#define LIBDOSE_HD
#endif
