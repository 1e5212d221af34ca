// Functions of which the compiler makes a version for each instruction set and the loader picks one. Without
// contraction (see libdose/CMakeLists.txt) all of them give the same bits.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define LIBDOSE_VERSIONS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define LIBDOSE_VERSIONS
#endif
#if defined(__GNUC__)
#define LIBDOSE_INLINE inline __attribute__((always_inline))
#define LIBDOSE_INLINE_LAMBDA __attribute__((always_inline))
#else
#define LIBDOSE_INLINE inline
#define LIBDOSE_INLINE_LAMBDA
#endif

namespace libdose {
/// Loops over lanes run in blocks of this many floats: one vector of AVX-512, two of AVX2.
constexpr int lanes = 16;
}  // namespace libdose
