// For tests: the same with each instruction set of this machine that kernels were compiled for.
#ifndef ALMANAC_GBDT_INSTRUCTION_SETS_FOR_TEST_H_
#define ALMANAC_GBDT_INSTRUCTION_SETS_FOR_TEST_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>

#include <hwy/targets.h>

namespace almanac::gbdt {

inline void WithInstructionSets(const std::function<void()>& body) {
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (target == HWY_SSE4) continue;  // none of this room's
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    body();
    hwy::SetSupportedTargetsForTest(0);
  }
}

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_INSTRUCTION_SETS_FOR_TEST_H_
