// What the program finds when it opens the module.
#include "almanac/neural/host/module.h"
#include "almanac/neural/libraries.h"

namespace almanac {
namespace {

class Module final : public NeuralModule {
 public:
  NeuralLibraries Libraries() const override { return FindLibraries(); }
};

const NeuralModule* OpenModule() {
  static const Module kModule;
  return &kModule;
}

}  // namespace
}  // namespace almanac

extern "C" {
__attribute__((
    visibility("default"))) extern const almanac::NeuralModuleEntry almanac_neural_module;
const almanac::NeuralModuleEntry almanac_neural_module = {almanac::kNeuralModuleBuild,
                                                          &almanac::OpenModule};
}
