// The networks' module: a shared library beside the program that holds everything which needs
// LibTorch. It is opened when a network is first asked for, so that other commands start fast and a
// program built without LibTorch is whole but for its networks.
#ifndef ALMANAC_NEURAL_HOST_MODULE_H_
#define ALMANAC_NEURAL_HOST_MODULE_H_

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/forecast/forecaster.h"
#include "almanac/neural/host/network_options.h"

namespace almanac {

// What the module computes with.
struct NeuralLibraries {
  std::string torch;         // "1.13.1"
  std::string blas;          // "OpenBLAS 0.3.21 for SkylakeX", or the file that it is in
  bool blas_is_fast = true;  // false: the reference BLAS, many times slower
  int threads = 1;           // of one operation
  int cuda_devices = 0;
};

// The weights of a saved network: after the epoch with the best validation loss, or after the last.
enum class Checkpoint { kBest, kFinal };

// docs/networks-export.md describes both.
enum class ExportFormat { kTorchScript, kOnnx };

// A PyTorch state dict that becomes a saved network.
struct ImportRequest {
  std::filesystem::path state_dict;  // of torch.save, or safetensors
  // What the network is: the folder of a saved one, whose features, scalers and target it takes, or
  // a description (docs/networks-export.md).
  std::filesystem::path like;
  std::filesystem::path folder;  // where it is saved; must not exist
  // Prefixes of names in the state dict, and what takes their place.
  std::vector<std::pair<std::string, std::string>> renames;
};

class NeuralModule {
 public:
  virtual ~NeuralModule() = default;
  virtual NeuralLibraries Libraries() const = 0;
  virtual std::unique_ptr<Forecaster> MakeForecaster(const NetworkOptions& options) const = 0;
  virtual std::unique_ptr<Forecaster> LoadForecaster(const std::filesystem::path& folder,
                                                     Checkpoint checkpoint) const = 0;
  // Writes the network saved in `folder` as one file that runs without Almanac; its scalers are in
  // it.
  virtual void Export(const std::filesystem::path& folder, Checkpoint checkpoint,
                      ExportFormat format, const std::filesystem::path& file) const = 0;
  virtual void Import(const ImportRequest& request) const = 0;
};

// The module, opened at the first call. Throws Error(kFailed) that says what to install if it was
// not built, cannot be opened, or belongs to another build of the program.
const NeuralModule& Networks();
// Whether there is a module to open, and what is said at `where` if there is none.
bool HasNetworks();
Error MissingNetworks(const std::string& where);

// What a module exports, as "almanac_neural_module".
struct NeuralModuleEntry {
  const char* build;  // NeuralModuleBuild() of the headers that it was compiled with
  const NeuralModule* (*open)();
};
constexpr const char* kNeuralModuleEntry = "almanac_neural_module";
// Changes with every change of what the module and the program share.
constexpr const char* kNeuralModuleBuild = "4";

}  // namespace almanac

#endif  // ALMANAC_NEURAL_HOST_MODULE_H_
