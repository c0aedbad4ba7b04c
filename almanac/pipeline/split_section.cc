#include "almanac/pipeline/split_section.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "almanac/base/error.h"

namespace almanac {
namespace {

bool IsWindowed(const FoldSpec& spec) {
  return spec.scheme == FoldScheme::kRolling || spec.scheme == FoldScheme::kExpanding;
}

Json FoldJson(const Fold& fold, const Dataset& data) {
  const auto time_of = [&](uint32_t row) { return FormatTime(data.times()[row]); };
  return {{"training_rows", fold.training.size()},
          {"validation_rows", fold.validation.size()},
          {"test_rows", fold.test.size()},
          {"purged_rows", fold.purged},
          {"training_from", time_of(fold.training.rows().front())},
          {"training_to", time_of(fold.training.rows().back())},
          {"test_from", time_of(fold.test.front())},
          {"test_to", time_of(fold.test.back())}};
}

}  // namespace

Json SplitSection::ToJson() const { return folds ? folds->ToJson() : parts.ToJson(); }

SplitSection ReadSplitSection(const ConfigNode& node) {
  SplitSection section;
  if (!node.Has("scheme")) {
    section.parts = SplitSpec::FromConfig(node);
    return section;
  }
  section.folds = FoldSpec::FromConfig(node);
  const FoldSpec& folds = *section.folds;
  if (IsWindowed(folds) && folds.step != 0 && folds.step < folds.test) {
    throw Error(ErrorCode::kUsage, node.Place("step"),
                "test windows overlap, and a forecast table has one forecast of a model at a time",
                "make the step at least as long as test, or leave it out");
  }
  return section;
}

RunSplit SplitFor(const SplitSection& section, const Dataset& data) {
  RunSplit split;
  if (!section.folds) {
    split.parts = data.SplitRows(section.parts);
    const auto copy = [](std::span<const uint32_t> rows) {
      return std::vector<uint32_t>(rows.begin(), rows.end());
    };
    split.folds.push_back({split.parts->training(),
                           copy(split.parts->rows(Part::kValidation)),
                           copy(split.parts->rows(Part::kTest)),
                           {},
                           split.parts->purged()});
    split.test_from = split.parts->test_from();
    split.known_by = split.parts->validation_from() - 1 - section.embargo();
    return split;
  }
  const CrossValidation folds = data.FoldRows(*section.folds);
  split.folds = folds.folds();
  split.skipped = folds.skipped();
  TimeMs judged_from = kMaxTime;
  split.test_from = kMaxTime;
  for (const Fold& fold : split.folds) {
    split.test_from = std::min(split.test_from, data.times()[fold.test.front()]);
    if (!fold.validation.empty()) {
      judged_from = std::min(judged_from, data.times()[fold.validation.front()]);
    }
  }
  judged_from = std::min(judged_from, split.test_from);
  split.known_by = IsWindowed(*section.folds) ? judged_from - 1 - section.embargo() : kMaxTime;
  return split;
}

Json RunSplit::ToJson(const Dataset& data) const {
  if (parts) return parts->ToJson();
  Json json = {
      {"test_from", FormatTime(test_from)}, {"skipped", skipped}, {"folds", Json::array()}};
  for (const Fold& fold : folds) json["folds"].push_back(FoldJson(fold, data));
  return json;
}

}  // namespace almanac
