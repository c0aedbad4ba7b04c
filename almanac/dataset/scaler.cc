#include "almanac/dataset/scaler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/json_file.h"

namespace almanac {
namespace {

struct MeanAndScale {
  double mean = 0, scale = 1;
};

MeanAndScale Measure(std::span<const float> column, const std::vector<uint32_t>& rows) {
  const auto count = static_cast<double>(rows.size());
  double sum = 0;
  for (const uint32_t row : rows) sum += column[row];
  MeanAndScale result{sum / count, 1};
  double squares = 0;
  bool varies = false;
  for (const uint32_t row : rows) {
    const double distance = column[row] - result.mean;
    squares += distance * distance;
    varies = varies || column[row] != column[rows.front()];
  }
  if (!varies) return {column[rows.front()], 1};
  result.scale = std::sqrt(squares / count);
  return result;
}

}  // namespace

StandardScaler StandardScaler::Fit(const Dataset& data, const TrainingRows& training) {
  const UsableRows usable = DropIncomplete(data, training.rows());
  if (usable.rows.size() < 2) {
    throw Error(ErrorCode::kBadData, data.symbol(),
                fmt::format("{} of {} training rows have all features and a target",
                            usable.rows.size(), training.size()),
                "give more data, or features with shorter windows");
  }
  StandardScaler scaler;
  scaler.names_ = data.feature_names();
  scaler.rows_ = usable.rows.size();
  scaler.dropped_ = usable.dropped;
  for (size_t c = 0; c < data.features(); ++c) {
    const MeanAndScale measured = Measure(data.feature(c), usable.rows);
    scaler.mean_.push_back(measured.mean);
    scaler.scale_.push_back(measured.scale);
  }
  return scaler;
}

void StandardScaler::RequireColumns(const Dataset& data) const {
  const std::vector<std::string>& found = data.feature_names();
  if (found == names_) return;
  const size_t common = std::min(found.size(), names_.size());
  const auto c = static_cast<size_t>(
      std::mismatch(names_.begin(), names_.begin() + static_cast<std::ptrdiff_t>(common),
                    found.begin())
          .first -
      names_.begin());
  const auto name_at = [c](const std::vector<std::string>& names) {
    return c < names.size() ? names[c] : std::string("nothing");
  };
  throw Error(ErrorCode::kBadData, data.symbol(),
              fmt::format("feature column {} is {} where {} was fitted", c, name_at(found),
                          name_at(names_)),
              "use the features that the model was trained with");
}

Json StandardScaler::ToJson() const {
  Json columns = Json::array();
  for (size_t c = 0; c < size(); ++c) {
    columns.push_back({{"name", names_[c]}, {"mean", mean_[c]}, {"scale", scale_[c]}});
  }
  return {{"kind", "standard"}, {"rows", rows_}, {"dropped", dropped_}, {"columns", columns}};
}

StandardScaler StandardScaler::FromJson(const Json& json) {
  try {
    if (json.at("kind") != "standard") {
      throw Error(ErrorCode::kBadData, "scaler", "its kind is not \"standard\"");
    }
    StandardScaler scaler;
    scaler.rows_ = json.at("rows").get<size_t>();
    scaler.dropped_ = json.at("dropped").get<size_t>();
    for (const Json& column : json.at("columns")) {
      scaler.names_.push_back(column.at("name").get<std::string>());
      scaler.mean_.push_back(column.at("mean").get<double>());
      scaler.scale_.push_back(column.at("scale").get<double>());
      if (std::isfinite(scaler.mean_.back()) && scaler.scale_.back() > 0) continue;
      throw Error(ErrorCode::kBadData, "scaler column " + scaler.names_.back(),
                  fmt::format("mean {}, scale {}", scaler.mean_.back(), scaler.scale_.back()),
                  "the mean must be finite and the scale positive");
    }
    return scaler;
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadData, "scaler", error.what(), "expected what a scaler saved");
  }
}

void StandardScaler::Save(const std::filesystem::path& file) const {
  WriteJsonFile(file, ToJson());
}

StandardScaler StandardScaler::Load(const std::filesystem::path& file) {
  const Json json = ReadJsonFile(file, "expected what a scaler saved");
  try {
    return FromJson(json);
  } catch (const Error& error) {
    throw error.Within(file.string());
  }
}

}  // namespace almanac
