#include "almanac/neural/host/blas_kernels.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace almanac {
namespace {

// What the variable says before a test, put back after it.
class BlasKernelsTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* value = std::getenv("OPENBLAS_CORETYPE");
    was_set_ = value != nullptr;
    if (was_set_) before_ = value;
  }
  void TearDown() override {
    unsetenv("OPENBLAS_CORETYPE");
    if (was_set_) setenv("OPENBLAS_CORETYPE", before_.c_str(), 1);
  }

 private:
  bool was_set_ = false;
  std::string before_;
};

TEST_F(BlasKernelsTest, AreThoseOfTheInstructionSets) {
  unsetenv("OPENBLAS_CORETYPE");
  ChooseBlasKernels();
  const char* chosen = std::getenv("OPENBLAS_CORETYPE");
  EXPECT_EQ(chosen == nullptr ? "" : chosen, BlasKernels());
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    EXPECT_FALSE(BlasKernels().empty());
  }
#endif
}

TEST_F(BlasKernelsTest, WhatThePersonSaysStays) {
  setenv("OPENBLAS_CORETYPE", "Nehalem", 1);
  ChooseBlasKernels();
  EXPECT_STREQ(std::getenv("OPENBLAS_CORETYPE"), "Nehalem");
}

}  // namespace
}  // namespace almanac
