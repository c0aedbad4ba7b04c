// What the program finds when it opens the module.
#include "almanac/neural/host/module.h"
#include "almanac/neural/export.h"
#include "almanac/neural/import.h"
#include "almanac/neural/libraries.h"
#include "almanac/neural/network_forecaster.h"

namespace almanac {
namespace {

class Module final : public NeuralModule {
 public:
  NeuralLibraries Libraries() const override { return FindLibraries(); }
  std::unique_ptr<Forecaster> MakeForecaster(const NetworkOptions& options) const override {
    return std::make_unique<neural::NetworkForecaster>(options);
  }
  std::unique_ptr<Forecaster> LoadForecaster(const std::filesystem::path& folder,
                                             Checkpoint checkpoint) const override {
    return neural::NetworkForecaster::Load(folder, checkpoint);
  }
  void Export(const std::filesystem::path& folder, Checkpoint checkpoint, ExportFormat format,
              const std::filesystem::path& file) const override {
    neural::ExportNetwork(folder, checkpoint, format, file);
  }
  void Import(const ImportRequest& request) const override { neural::ImportNetwork(request); }
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
