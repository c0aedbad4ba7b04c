#include "almanac/neural/export.h"

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/neural/export_graph.h"
#include "almanac/neural/export_onnx.h"
#include "almanac/neural/export_torchscript.h"
#include "almanac/neural/network.h"
#include "almanac/neural/saved_network.h"

namespace almanac::neural {

void ExportNetwork(const std::filesystem::path& folder, Checkpoint checkpoint, ExportFormat format,
                   const std::filesystem::path& file) {
  const ExportSource source = ExportSource::Of(ReadSavedNetwork(folder), checkpoint);
  try {
    // What is exported is known to fit the architecture's tensors, shapes included.
    MakeNetwork(source.options, source.shape)->parameters().Restore(source.weights);
    WriteFileAtomic(file, format == ExportFormat::kOnnx ? OnnxOf(source) : TorchScriptOf(source));
  } catch (const Error& error) {
    throw error.Within(folder.string());
  } catch (const c10::Error& error) {
    throw Error(ErrorCode::kBadData, folder.string(), error.what_without_backtrace(),
                "expected a saved network");
  }
}

}  // namespace almanac::neural
