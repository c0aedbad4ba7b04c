// For tests: the same with every instruction set of this machine that was compiled.
#ifndef ALMANAC_NEURAL_RECURRENT_TARGETS_FOR_TEST_H_
#define ALMANAC_NEURAL_RECURRENT_TARGETS_FOR_TEST_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>

#include <hwy/targets.h>

namespace almanac::neural {

inline void ForEachTarget(const std::function<void()>& body) {
  for (int64_t targets = hwy::SupportedTargets(); targets != 0; targets &= targets - 1) {
    const int64_t target = targets & -targets;
    // Another one would fall back on the best, which the loop meets anyway.
    if ((target & (HWY_AVX3 | HWY_AVX2 | HWY_SSE4 | HWY_NEON)) == 0) continue;
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    body();
    hwy::SetSupportedTargetsForTest(0);
  }
}

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_RECURRENT_TARGETS_FOR_TEST_H_
