#include "almanac/dataset/fold.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/dataset/intervals.h"

namespace almanac {
namespace {

constexpr FoldScheme kSchemes[] = {FoldScheme::kRolling, FoldScheme::kExpanding,
                                   FoldScheme::kPurgedKFold, FoldScheme::kCombinatorial};
constexpr int64_t kMostBlocks = 1000;
constexpr size_t kMostFolds = 10'000;

[[noreturn]] void ThrowFolds(std::string what, std::string remedy) {
  throw Error(ErrorCode::kUsage, "folds", std::move(what), std::move(remedy));
}

bool IsWindowed(FoldScheme scheme) {
  return scheme == FoldScheme::kRolling || scheme == FoldScheme::kExpanding;
}

// C(n, k), or more than kMostFolds.
size_t Combinations(size_t n, size_t k) {
  size_t count = 1;
  k = std::min(k, n - k);
  for (size_t i = 1; i <= k && count <= kMostFolds; ++i) count = count * (n - k + i) / i;
  return count;
}

void CheckSpec(const FoldSpec& spec) {
  if (spec.embargo < 0) ThrowFolds("the embargo is negative", "give a duration such as 1d or 0");
  if (IsWindowed(spec.scheme)) {
    if (spec.train > 0 && spec.test > 0 && spec.validation >= 0 && spec.step >= 0) return;
    ThrowFolds(fmt::format("train {} ms, validation {} ms, test {} ms, step {} ms", spec.train,
                           spec.validation, spec.test, spec.step),
               "train and test must be above 0, validation and step not below");
  }
  if (spec.scheme == FoldScheme::kPurgedKFold) {
    if (spec.folds >= 2) return;
    ThrowFolds(fmt::format("{} folds", spec.folds), "give at least 2");
  }
  if (spec.test_groups < 1 || spec.test_groups >= spec.groups) {
    ThrowFolds(fmt::format("{} test groups of {} groups", spec.test_groups, spec.groups),
               "there must be at least one test group, and a group to learn from");
  }
  if (Combinations(spec.groups, spec.test_groups) <= kMostFolds) return;
  ThrowFolds(fmt::format("{} of {} groups are more than {} folds", spec.test_groups, spec.groups,
                         kMostFolds),
             "use fewer groups");
}

TimeMs After(TimeMs time, DurationMs duration) {
  return time > kMaxTime - duration ? kMaxTime : time + duration;
}

}  // namespace

class CrossValidation::Maker {
 public:
  Maker(std::span<const TimeMs> t0, std::span<const TimeMs> t1, const FoldSpec& spec,
        std::span<const uint32_t> rows)
      : t0_(t0), t1_(t1), spec_(spec), order_(InOrderOfTime(t0, rows)) {
    auto intervals = std::make_shared<TrainingRows::Intervals>();
    intervals->t0.assign(t0.begin(), t0.end());
    intervals->t1.assign(t1.begin(), t1.end());
    intervals->embargo = spec.embargo;
    intervals_ = std::move(intervals);
  }

  void MakeWindows(CrossValidation* result) const {
    const TimeMs first = t0_[order_.front()], last = t0_[order_.back()];
    const DurationMs step = spec_.step > 0 ? spec_.step : spec_.test;
    TimeMs start = After(After(first, spec_.train), spec_.validation);
    for (; start <= last && start < kMaxTime; start = After(start, step)) {
      if (result->folds_.size() + result->skipped_ == kMostFolds) {
        ThrowFolds(fmt::format("more than {} windows", kMostFolds), "make the step longer");
      }
      Fold fold = Window(start);
      const bool whole = fold.training.size() > 0 && !fold.test.empty() &&
                         (spec_.validation == 0 || !fold.validation.empty());
      if (whole) {
        result->folds_.push_back(std::move(fold));
      } else {
        ++result->skipped_;
      }
    }
    if (!result->folds_.empty()) return;
    ThrowFolds(fmt::format("no window has rows in all its parts; rows go from {} to {}",
                           FormatTime(first), FormatTime(last)),
               "make train and test shorter, or give more data");
  }

  void MakeBlocks(size_t blocks, size_t test_blocks, CrossValidation* result) const {
    const std::vector<size_t> start = BlockStarts(blocks);
    std::vector<size_t> chosen(test_blocks);
    for (size_t i = 0; i < test_blocks; ++i) chosen[i] = i;
    do {
      result->folds_.push_back(Blocks(start, chosen));
    } while (NextChoice(blocks, &chosen));
  }

 private:
  TrainingRows Training(std::vector<uint32_t> rows) const { return {intervals_, std::move(rows)}; }

  // The test window [start, start + test).
  Fold Window(TimeMs start) const {
    const TimeMs end = After(start, spec_.test);
    const TimeMs judge = start - spec_.validation;
    const TimeMs from =
        spec_.scheme == FoldScheme::kRolling ? judge - spec_.train : t0_[order_.front()];
    std::vector<uint32_t> training;
    Fold fold{Training({}), {}, {}, {}, 0};
    const auto at = [&](TimeMs time) {
      return std::lower_bound(order_.begin(), order_.end(), time,
                              [&](uint32_t row, TimeMs instant) { return t0_[row] < instant; });
    };
    for (auto it = at(from); it != order_.end() && t0_[*it] < end; ++it) {
      if (t0_[*it] >= start) {
        fold.test.push_back(*it);
      } else if (t0_[*it] < judge && EndsBefore(t1_[*it], judge, spec_.embargo)) {
        training.push_back(*it);
      } else if (t0_[*it] >= judge && EndsBefore(t1_[*it], start, spec_.embargo)) {
        fold.validation.push_back(*it);
      } else {
        ++fold.purged;
      }
    }
    fold.training = Training(std::move(training));
    return fold;
  }

  // Places in order_ where the blocks begin, and its end; rows of one instant stay together.
  std::vector<size_t> BlockStarts(size_t blocks) const {
    std::vector<size_t> start;
    for (size_t block = 0; block <= blocks; ++block) {
      size_t row = order_.size() * block / blocks;
      while (row > 0 && row < order_.size() && t0_[order_[row]] == t0_[order_[row - 1]]) --row;
      if (block > 0 && row <= start.back()) {
        ThrowFolds(fmt::format("{} rows are too few for {} blocks", order_.size(), blocks),
                   "use fewer blocks or give more data");
      }
      start.push_back(row);
    }
    return start;
  }

  // The labels of a block's rows cover [first t0, latest t1] without a hole that another row's
  // label could lie in: a row before the block meets it if it reaches its first t0, a row after it
  // if it begins by its latest t1.
  struct Span {
    TimeMs first, latest;
  };
  Span SpanOf(const std::vector<size_t>& start, size_t block) const {
    Span span{t0_[order_[start[block]]], kMinTime};
    for (size_t i = start[block]; i < start[block + 1]; ++i) {
      span.latest = std::max(span.latest, t1_[order_[i]]);
    }
    return span;
  }

  Fold Blocks(const std::vector<size_t>& start, const std::vector<size_t>& chosen) const {
    Fold fold{Training({}), {}, {}, chosen, 0};
    std::vector<Span> spans;
    spans.reserve(chosen.size());
    for (const size_t block : chosen) spans.push_back(SpanOf(start, block));
    std::vector<uint32_t> training;
    for (size_t block = 0; block + 1 < start.size(); ++block) {
      const bool test = std::find(chosen.begin(), chosen.end(), block) != chosen.end();
      for (size_t i = start[block]; i < start[block + 1]; ++i) {
        const uint32_t row = order_[i];
        const bool apart = std::all_of(spans.begin(), spans.end(), [&](const Span& span) {
          return EndsBefore(t1_[row], span.first, spec_.embargo) ||
                 EndsBefore(span.latest, t0_[row], spec_.embargo);
        });
        if (test) {
          fold.test.push_back(row);
        } else if (apart) {
          training.push_back(row);
        } else {
          ++fold.purged;
        }
      }
    }
    if (training.empty()) {
      ThrowFolds(fmt::format("no row is left to learn from beside test block {}", chosen.front()),
                 "use fewer blocks, more data, or a shorter horizon or embargo");
    }
    fold.training = Training(std::move(training));
    return fold;
  }

  // The next choice in lexicographic order; false after the last.
  static bool NextChoice(size_t blocks, std::vector<size_t>* chosen) {
    const size_t count = chosen->size();
    for (size_t i = count; i-- > 0;) {
      if ((*chosen)[i] == blocks - count + i) continue;
      ++(*chosen)[i];
      for (size_t k = i + 1; k < count; ++k) (*chosen)[k] = (*chosen)[k - 1] + 1;
      return true;
    }
    return false;
  }

  std::span<const TimeMs> t0_, t1_;
  const FoldSpec& spec_;
  std::vector<uint32_t> order_;
  std::shared_ptr<const TrainingRows::Intervals> intervals_;
};

std::string_view Name(FoldScheme scheme) {
  switch (scheme) {
    case FoldScheme::kRolling:
      return "rolling";
    case FoldScheme::kExpanding:
      return "expanding";
    case FoldScheme::kPurgedKFold:
      return "purged_k_fold";
    case FoldScheme::kCombinatorial:
      return "combinatorial";
  }
  return "";
}

FoldSpec FoldSpec::FromConfig(const ConfigNode& node) {
  FoldSpec spec;
  std::vector<std::string> names;
  for (const FoldScheme scheme : kSchemes) names.emplace_back(almanac::Name(scheme));
  const std::string name = node.Choice("scheme", names);
  for (const FoldScheme scheme : kSchemes) {
    if (almanac::Name(scheme) == name) spec.scheme = scheme;
  }
  const auto blocks = [&](const char* key, size_t otherwise) {
    return static_cast<size_t>(
        node.Int(key, static_cast<int64_t>(otherwise), Range<int64_t>::Between(1, kMostBlocks)));
  };
  if (IsWindowed(spec.scheme)) {
    spec.train = node.Duration("train");
    spec.validation = node.Duration("validation", 0);
    spec.test = node.Duration("test");
    spec.step = node.Duration("step", 0);
  } else if (spec.scheme == FoldScheme::kPurgedKFold) {
    spec.folds = blocks("folds", spec.folds);
  } else {
    spec.groups = blocks("groups", spec.groups);
    spec.test_groups = blocks("test_groups", spec.test_groups);
  }
  spec.embargo = node.Duration("embargo", 0);
  try {
    CheckSpec(spec);
  } catch (const Error& error) {
    throw Error(error.code(), node.Place(), error.problem(), error.remedy());
  }
  return spec;
}

Json FoldSpec::ToJson() const {
  Json json = {{"scheme", almanac::Name(scheme)}};
  if (IsWindowed(scheme)) {
    json["train"] = train;
    json["validation"] = validation;
    json["test"] = test;
    json["step"] = step;
  } else if (scheme == FoldScheme::kPurgedKFold) {
    json["folds"] = folds;
  } else {
    json["groups"] = groups;
    json["test_groups"] = test_groups;
  }
  json["embargo"] = embargo;
  return json;
}

CrossValidation CrossValidation::Make(std::span<const TimeMs> t0, std::span<const TimeMs> t1,
                                      const FoldSpec& spec) {
  return Make(t0, t1, spec, AllRows(t0.size()));
}

CrossValidation CrossValidation::Make(std::span<const TimeMs> t0, std::span<const TimeMs> t1,
                                      const FoldSpec& spec, std::span<const uint32_t> rows) {
  CheckSpec(spec);
  CheckIntervals(t0, t1);
  if (rows.empty()) ThrowFolds("there are no rows", "give a longer range of data");
  CrossValidation result;
  const Maker maker(t0, t1, spec, rows);
  if (IsWindowed(spec.scheme)) {
    maker.MakeWindows(&result);
  } else if (spec.scheme == FoldScheme::kPurgedKFold) {
    maker.MakeBlocks(spec.folds, 1, &result);
  } else {
    maker.MakeBlocks(spec.groups, spec.test_groups, &result);
    result.paths_.assign(Combinations(spec.groups - 1, spec.test_groups - 1),
                         std::vector<size_t>(spec.groups));
    std::vector<size_t> used(spec.groups, 0);
    for (size_t fold = 0; fold < result.folds_.size(); ++fold) {
      for (const size_t group : result.folds_[fold].test_groups) {
        result.paths_[used[group]++][group] = fold;
      }
    }
  }
  return result;
}

}  // namespace almanac
