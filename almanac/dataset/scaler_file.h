// Scalers on disk: JSON files. Inside this room.
#ifndef ALMANAC_DATASET_SCALER_FILE_H_
#define ALMANAC_DATASET_SCALER_FILE_H_

#include <filesystem>
#include <string>

#include "almanac/base/error.h"
#include "almanac/base/json.h"

namespace almanac {

void SaveScaler(const Json& scaler, const std::filesystem::path& file);
// Throws Error(kBadData) naming the file if it is not JSON.
Json ReadScalerJson(const std::filesystem::path& file);

// Of any class with FromJson, whose errors get the file's name.
template <typename Scaler>
Scaler LoadScaler(const std::filesystem::path& file) {
  const Json json = ReadScalerJson(file);
  try {
    return Scaler::FromJson(json);
  } catch (const Error& error) {
    throw error.Within(file.string());
  }
}

}  // namespace almanac

#endif  // ALMANAC_DATASET_SCALER_FILE_H_
