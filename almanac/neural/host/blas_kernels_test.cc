#include "almanac/neural/host/blas_kernels.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>

namespace almanac {
namespace {

// What the variables say before a test, put back after it.
class BlasKernelsTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : kNames) {
      if (const char* value = std::getenv(name)) before_[name] = value;
    }
  }
  void TearDown() override {
    for (const char* name : kNames) unsetenv(name);
    for (const auto& [name, value] : before_) setenv(name.c_str(), value.c_str(), 1);
  }

 private:
  static constexpr const char* kNames[] = {"OPENBLAS_CORETYPE", "OPENBLAS_THREAD_TIMEOUT"};
  std::map<std::string, std::string> before_;
};

TEST_F(BlasKernelsTest, ThreadsSleepUnlessThePersonSaysOtherwise) {
  unsetenv("OPENBLAS_THREAD_TIMEOUT");
  ChooseBlasKernels();
  EXPECT_STREQ(std::getenv("OPENBLAS_THREAD_TIMEOUT"), "4");
  setenv("OPENBLAS_THREAD_TIMEOUT", "26", 1);
  ChooseBlasKernels();
  EXPECT_STREQ(std::getenv("OPENBLAS_THREAD_TIMEOUT"), "26");
}

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
