#include "almanac/neural/libraries.h"

#include <gtest/gtest.h>

namespace almanac {
namespace {

TEST(Libraries, NamesLibTorchAndAFastBlas) {
  const NeuralLibraries libraries = FindLibraries();
  EXPECT_EQ(libraries.torch.find('.'), 1u) << libraries.torch;
  EXPECT_GE(libraries.threads, 1);
  EXPECT_FALSE(libraries.blas.empty());
  // Setup installs OpenBLAS: without it networks are twenty times slower.
  EXPECT_TRUE(libraries.blas_is_fast) << libraries.blas;
}

}  // namespace
}  // namespace almanac
