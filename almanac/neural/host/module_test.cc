#include "almanac/neural/host/module.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "almanac/base/error_for_test.h"

namespace almanac {
namespace {

TEST(NeuralModule, SaysWhatToInstallWhereThereIsNone) {
  // Beside the test's program there is no module.
  setenv("ALMANAC_NEURAL", "/nowhere/libalmanac_neural.so", 1);
  const std::string message = MessageOf([] { Networks(); });
  unsetenv("ALMANAC_NEURAL");
  EXPECT_NE(message.find("built without LibTorch"), std::string::npos) << message;
  EXPECT_NE(message.find("libtorch-dev"), std::string::npos) << message;
}

}  // namespace
}  // namespace almanac
