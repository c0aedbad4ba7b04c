// Eight numbers beside each other, which the compiler keeps in as wide registers as the function it
// compiles may use. Inside this room.
//
// A function marked ALMANAC_WIDEST_REGISTERS is compiled for several instruction sets and chosen at
// run time. Each lane's sum is made in the same order whatever the registers' width, and nothing is
// contracted, so all of them give the same bits.
#ifndef ALMANAC_EVALUATE_LANES_H_
#define ALMANAC_EVALUATE_LANES_H_

#include <cstddef>

// Resolvers of such functions run before the sanitizers do.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define ALMANAC_WIDEST_REGISTERS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define ALMANAC_WIDEST_REGISTERS
#endif

namespace almanac {

inline constexpr size_t kLanes = 8;
// Aligned as its numbers are, so that it may lie anywhere in an array of them.
using Lanes = double
    __attribute__((vector_size(kLanes * sizeof(double)), aligned(sizeof(double)), may_alias));

}  // namespace almanac

#endif  // ALMANAC_EVALUATE_LANES_H_
