#include "almanac/cli/feature_bins.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "almanac/base/config.h"
#include "almanac/base/error.h"
#include "almanac/base/hash.h"
#include "almanac/base/text.h"
#include "almanac/dataset/bin_build.h"
#include "almanac/dataset/split.h"
#include "almanac/feature/feature_set.h"
#include "almanac/feature/frame.h"
#include "almanac/feature/lineage.h"
#include "almanac/feature/stream.h"
#include "almanac/lake/candle_store.h"
#include "almanac/pipeline/code_version.h"
#include "almanac/target/any_target.h"

namespace almanac {

size_t ParseMemory(const std::string& text) {
  constexpr std::pair<const char*, double> kUnits[] = {{"GB", 1024.0 * 1024 * 1024},
                                                       {"MB", 1024.0 * 1024}};
  for (const auto& [unit, bytes] : kUnits) {
    if (!text.ends_with(unit)) continue;
    const auto number = ParseDouble(text.substr(0, text.size() - 2));
    if (number && *number > 0 && *number < 1e6) return static_cast<size_t>(*number * bytes);
  }
  throw Error(ErrorCode::kUsage, "--memory " + text, "is not an amount of memory",
              "such as 4GB or 800MB");
}

namespace {

// Which rows are kept and what they are for.
struct Rows {
  BinRows bins;
  DataSplit split;
  std::string target = "";
};

SplitSpec SplitOf(const FeatureBinFlags& flags) {
  SplitSpec spec;
  spec.validation_share = flags.validation;
  spec.test_share = flags.test;
  return spec;
}

Rows EveryRow(const std::vector<TimeMs>& times, const SplitSpec& spec) {
  DataSplit split = DataSplit::Chronological(times, times, spec);
  std::vector<uint32_t> rows(times.size());
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<uint32_t>(i);
  return {{std::move(rows), split.training(), {}}, std::move(split)};
}

// The rows at which a label begins.
Rows LabelledRows(const std::vector<TimeMs>& times, const Labels& labels, const SplitSpec& spec) {
  std::vector<uint32_t> rows, with_target;
  std::vector<TimeMs> t0, t1;
  for (size_t label = 0; label < labels.rows(); ++label) {
    const auto place = std::lower_bound(times.begin(), times.end(), labels.t0[label]);
    if (place == times.end() || *place != labels.t0[label]) continue;
    if (std::isnan(labels.value[label])) continue;
    with_target.push_back(static_cast<uint32_t>(rows.size()));
    rows.push_back(static_cast<uint32_t>(place - times.begin()));
    t0.push_back(labels.t0[label]);
    t1.push_back(labels.t1[label]);
  }
  if (rows.empty()) {
    throw Error(ErrorCode::kBadData, labels.name, "none of the rows has such a label",
                "give more bars, or a target with more events");
  }
  DataSplit split = DataSplit::Chronological(t0, t1, spec);
  return {
      {std::move(rows), split.training(), std::move(with_target)}, std::move(split), labels.name};
}

Rows RowsOf(const FeatureBinFlags& flags, const Frame& frame, const std::vector<TimeMs>& times) {
  if (flags.target.empty()) return EveryRow(times, SplitOf(flags));
  const std::vector<std::string> symbols = frame.key().symbols();
  const std::string symbol = flags.target_symbol.empty() ? symbols.front() : flags.target_symbol;
  const auto place = std::find(symbols.begin(), symbols.end(), symbol);
  if (place == symbols.end()) {
    throw Error(ErrorCode::kUsage, "--target-symbol " + symbol,
                fmt::format("is not one of {}", fmt::join(symbols, ", ")));
  }
  const ConfigDocument document = ConfigDocument::Parse(flags.target, "--target");
  const AnyTarget target = AnyTargetFromConfig(document.root());
  const auto series = static_cast<size_t>(place - symbols.begin());
  return LabelledRows(times, BuildLabels(target, frame.series(series)), SplitOf(flags));
}

void Report(const BinBuildReport& report, const std::filesystem::path& out, double seconds,
            const Invocation& invocation) {
  TextTable table({"columns", ">count"});
  table.AddRow({"computed", FormatCount(static_cast<int64_t>(report.columns))});
  for (const std::string& reason : PruneReasons()) {
    table.AddRow({"- " + reason, FormatCount(static_cast<int64_t>(report.prune.Count(reason)))});
  }
  table.AddRow({"kept", FormatCount(static_cast<int64_t>(report.prune.kept.size()))});
  invocation.Say(table.Render());
  const double values = static_cast<double>(report.columns - report.resumed_columns) *
                        static_cast<double>(report.stream_rows);
  const std::string speed = report.was_there
                                ? "was there already"
                                : fmt::format("{:.1f} s, {:.1f} million values a second", seconds,
                                              values / seconds / 1e6);
  invocation.Say(fmt::format("{} rows of {}, judged on {} training rows; {}; peak memory {}",
                             FormatCount(static_cast<int64_t>(report.rows)),
                             FormatCount(static_cast<int64_t>(report.stream_rows)),
                             FormatCount(static_cast<int64_t>(report.prune.rows)), speed,
                             FormatBytes(static_cast<int64_t>(report.peak_memory))));
  invocation.Say((out / "columns.bins").string());
}

}  // namespace

void AddFeatureBinFlags(CLI::App& command, FeatureBinFlags& flags) {
  command.add_option("--target", flags.target,
                     "Rows are this target's, such as '{kind: swing, look_back: 10}' "
                     "(every bar)");
  command.add_option("--target-symbol", flags.target_symbol, "Whose target (the first symbol's)");
  command.add_option("--validation", flags.validation, "Share of the rows after training (0.15)");
  command.add_option("--test", flags.test, "Share of the rows after validation (0.15)");
  command.add_option("--correlation-rows", flags.correlation_rows,
                     "Training rows that columns are compared over, at most (25000)");
  command.add_option("--memory", flags.memory, "The most to have in use, such as 800MB (4GB)");
}

int BuildFeatureBins(const FeatureSet& set, const Frame& frame, const FeatureBinFlags& flags,
                     const std::filesystem::path& out, Invocation& invocation) {
  const auto start = std::chrono::steady_clock::now();
  BinBuildSpec spec;
  spec.memory = ParseMemory(flags.memory);
  spec.prune.correlation_rows = flags.correlation_rows;
  const FeatureStream stream(set, frame);
  const ColumnStream columns = StreamOf(stream);
  const Rows rows = RowsOf(flags, frame, columns.times);
  spec.target = rows.target;
  spec.lineage = LineageOf(stream.set());
  std::string hashes;
  for (size_t s = 0; s < frame.symbols(); ++s) {
    hashes += CandleStore::ContentHash(frame.series(s));
  }
  const Json configuration = {{"features", stream.set().ToJson()},
                              {"series", ToString(frame.key())},
                              {"candles", Sha256(hashes)},
                              {"target", flags.target},
                              {"target_symbol", flags.target_symbol},
                              {"split", rows.split.ToJson()}};
  spec.configuration = configuration.dump();
  Hasher hasher;
  hasher.Add(spec.configuration).Add(spec.prune.ToJson().dump());
  hasher.Add(CodeVersionOf({"base", "market", "lake", "feature", "target", "dataset"}));
  spec.key = hasher.Finish();
  const BinBuildReport report = BuildBins(columns, rows.bins, spec, out, invocation.progress());
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  Report(report, out, taken.count(), invocation);
  std::vector<std::string> names;
  for (const MatrixColumn& column : columns.names) names.push_back(column.name);
  Json document = report.ToJson(names);
  document["folder"] = out.string();
  document["peak_memory"] = report.peak_memory;
  invocation.PrintJson(document);
  return 0;
}

}  // namespace almanac
