#include "almanac/dataset/scaler_file.h"

#include <nlohmann/json.hpp>

#include "almanac/base/file.h"

namespace almanac {

void SaveScaler(const Json& scaler, const std::filesystem::path& file) {
  WriteFileAtomic(file, scaler.dump(2) + "\n");
}

Json ReadScalerJson(const std::filesystem::path& file) {
  try {
    return Json::parse(ReadFile(file));
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadData, file.string(), error.what(), "expected what a scaler saved");
  }
}

}  // namespace almanac
