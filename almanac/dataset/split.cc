#include "almanac/dataset/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/dataset/intervals.h"

namespace almanac {
namespace {

[[noreturn]] void ThrowSplit(std::string what, std::string remedy) {
  throw Error(ErrorCode::kUsage, "split", std::move(what), std::move(remedy));
}

void CheckSpec(const SplitSpec& spec) {
  if (spec.embargo < 0) ThrowSplit("the embargo is negative", "give a duration such as 1d or 0");
  if (spec.validation_from.has_value() != spec.test_from.has_value()) {
    ThrowSplit("one of validation_from and test_from is missing", "give both or neither");
  }
  if (spec.validation_from) {
    if (*spec.validation_from <= *spec.test_from) return;
    ThrowSplit(fmt::format("validation_from {} is after test_from {}",
                           FormatTime(*spec.validation_from), FormatTime(*spec.test_from)),
               "training comes first, then validation, then test");
  }
  const double validation = spec.validation_share, test = spec.test_share;
  if (validation >= 0 && test > 0 && validation + test < 1) return;
  ThrowSplit(fmt::format("shares of {} for validation and {} for test", validation, test),
             "validation must be at least 0, test above 0, and together below 1");
}

struct Boundaries {
  TimeMs validation = 0, test = 0;
};

Boundaries BoundariesOf(std::span<const TimeMs> t0, const std::vector<uint32_t>& order,
                        const SplitSpec& spec) {
  if (spec.validation_from) return {*spec.validation_from, *spec.test_from};
  const auto rows = static_cast<double>(order.size());
  const auto at = [&](double share) {
    const auto row = static_cast<size_t>(std::floor(rows * (1 - share)));
    return t0[order[std::min(row, order.size() - 1)]];
  };
  Boundaries boundaries;
  boundaries.test = at(spec.test_share);
  boundaries.validation =
      spec.validation_share > 0 ? at(spec.test_share + spec.validation_share) : boundaries.test;
  return boundaries;
}

}  // namespace

SplitSpec SplitSpec::FromConfig(const ConfigNode& node) {
  SplitSpec spec;
  const bool by_date = node.Has("validation_from") || node.Has("test_from");
  if (by_date) {
    for (const char* share : {"validation", "test"}) {
      if (!node.Has(share)) continue;
      throw Error(ErrorCode::kUsage, node.Place(share), "a share beside a date",
                  "split by shares (validation, test) or by dates (validation_from, test_from)");
    }
    spec.test_from = node.Time("test_from");
    spec.validation_from = node.Time("validation_from", *spec.test_from);
  } else {
    spec.validation_share =
        node.Double("validation", spec.validation_share, Range<double>::Between(0, 1));
    spec.test_share = node.Double("test", spec.test_share, Range<double>::Between(0, 1));
  }
  spec.embargo = node.Duration("embargo", spec.embargo);
  try {
    CheckSpec(spec);
  } catch (const Error& error) {
    throw Error(error.code(), node.Place(), error.problem(), error.remedy());
  }
  return spec;
}

SplitSpec SplitSpec::FromJson(const Json& json) {
  try {
    SplitSpec spec;
    if (json.contains("test_from")) {
      spec.validation_from = json.at("validation_from").get<TimeMs>();
      spec.test_from = json.at("test_from").get<TimeMs>();
    } else {
      spec.validation_share = json.at("validation").get<double>();
      spec.test_share = json.at("test").get<double>();
    }
    spec.embargo = json.at("embargo").get<DurationMs>();
    CheckSpec(spec);
    return spec;
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadData, "split", error.what(),
                "expected {\"validation\", \"test\", \"embargo\"} or {\"validation_from\", "
                "\"test_from\", \"embargo\"}");
  }
}

Json SplitSpec::ToJson() const {
  Json json;
  if (validation_from) {
    json["validation_from"] = *validation_from;
    json["test_from"] = *test_from;
  } else {
    json["validation"] = validation_share;
    json["test"] = test_share;
  }
  json["embargo"] = embargo;
  return json;
}

std::string_view Name(Part part) {
  switch (part) {
    case Part::kTraining:
      return "training";
    case Part::kValidation:
      return "validation";
    case Part::kTest:
      return "test";
  }
  return "";
}

DataSplit DataSplit::Chronological(std::span<const TimeMs> t0, std::span<const TimeMs> t1,
                                   const SplitSpec& spec) {
  return Chronological(t0, t1, spec, AllRows(t0.size()));
}

DataSplit DataSplit::Chronological(std::span<const TimeMs> t0, std::span<const TimeMs> t1,
                                   const SplitSpec& spec, std::span<const uint32_t> rows) {
  CheckSpec(spec);
  CheckIntervals(t0, t1);
  const std::vector<uint32_t> order = InOrderOfTime(t0, rows);
  if (order.empty()) ThrowSplit("there are no rows", "give a longer range of data");
  const Boundaries start = BoundariesOf(t0, order, spec);

  DataSplit split;
  split.validation_from_ = start.validation;
  split.test_from_ = start.test;
  std::vector<uint32_t> training;
  for (const uint32_t row : order) {
    if (t0[row] >= start.test) {
      split.test_.push_back(row);
    } else if (t0[row] < start.validation && EndsBefore(t1[row], start.validation, spec.embargo)) {
      training.push_back(row);
    } else if (t0[row] >= start.validation && EndsBefore(t1[row], start.test, spec.embargo)) {
      split.validation_.push_back(row);
    } else {
      ++split.purged_;
    }
  }
  const auto require = [&](bool has_rows, Part part) {
    if (has_rows) return;
    ThrowSplit(
        fmt::format("no row is left for the {} part of {} rows, {} to {}", Name(part), order.size(),
                    FormatTime(t0[order.front()]), FormatTime(t0[order.back()])),
        "move the boundaries, give more data, or shorten the horizon or the embargo");
  };
  require(!training.empty(), Part::kTraining);
  require(!split.validation_.empty() || start.validation == start.test, Part::kValidation);
  require(!split.test_.empty(), Part::kTest);

  auto intervals = std::make_shared<TrainingRows::Intervals>();
  intervals->t0.assign(t0.begin(), t0.end());
  intervals->t1.assign(t1.begin(), t1.end());
  intervals->embargo = spec.embargo;
  split.training_ = TrainingRows(std::move(intervals), std::move(training));
  return split;
}

std::vector<TrainingFold> TrainingRows::Folds(size_t folds) const {
  if (folds == 0) ThrowSplit("0 folds", "give at least 1");
  std::vector<TrainingFold> result;
  const std::vector<TimeMs>& t0 = intervals_->t0;
  const auto block_start = [&](size_t block) {
    // Rows of one instant stay together: a block begins where an instant does.
    size_t row = rows_.size() * block / (folds + 1);
    while (row > 0 && row < rows_.size() && t0[rows_[row]] == t0[rows_[row - 1]]) --row;
    return row;
  };
  for (size_t fold = 1; fold <= folds; ++fold) {
    const size_t first = block_start(fold);
    const size_t last = fold == folds ? rows_.size() : block_start(fold + 1);
    std::vector<uint32_t> learn;
    for (size_t i = 0; i < first; ++i) {
      if (EndsBefore(intervals_->t1[rows_[i]], t0[rows_[first]], intervals_->embargo)) {
        learn.push_back(rows_[i]);
      }
    }
    if (learn.empty() || first >= last) {
      ThrowSplit(fmt::format("{} training rows are too few for {} folds", rows_.size(), folds),
                 "use fewer folds, more data, or a shorter horizon or embargo");
    }
    result.push_back({TrainingRows(intervals_, std::move(learn)),
                      {rows_.begin() + static_cast<std::ptrdiff_t>(first),
                       rows_.begin() + static_cast<std::ptrdiff_t>(last)}});
  }
  return result;
}

std::span<const uint32_t> DataSplit::rows(Part part) const {
  switch (part) {
    case Part::kTraining:
      return training_->rows();
    case Part::kValidation:
      return validation_;
    case Part::kTest:
      return test_;
  }
  return {};
}

Json DataSplit::ToJson() const {
  return {{"training_rows", training_->size()},
          {"validation_rows", validation_.size()},
          {"test_rows", test_.size()},
          {"purged_rows", purged_},
          {"validation_from", FormatTime(validation_from_)},
          {"test_from", FormatTime(test_from_)}};
}

}  // namespace almanac
