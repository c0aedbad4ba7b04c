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
#include "almanac/feature/stream.h"
#include "almanac/lake/candle_store.h"
#include "almanac/pipeline/code_version.h"
#include "almanac/target/any_target.h"

namespace almanac {
namespace {

// "4GB", "512MB": powers of 1024, as memory is counted.
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

TimeMs ParseBound(const char* flag, const std::string& text, TimeMs otherwise) {
  if (text.empty()) return otherwise;
  if (const auto time = ParseTime(text)) return *time;
  throw Error(ErrorCode::kUsage, fmt::format("{} {}", flag, text), "is not a time",
              "such as 2024-06-01 or 2024-06-01T12:00:00Z");
}

// The only market of the lake that has the symbol at the timeframe, unless one is named.
SeriesKey KeyOf(const CandleStore& store, const FeatureBinFlags& flags, const std::string& symbol) {
  SeriesKey key{flags.market, symbol, Timeframe::Parse(flags.timeframe)};
  if (!key.market.empty()) return key;
  std::vector<std::string> markets;
  for (const SeriesInfo& info : store.List()) {
    if (info.key.symbol == symbol && info.key.timeframe == key.timeframe) {
      markets.push_back(info.key.market);
    }
  }
  if (markets.size() > 1) {
    throw Error(ErrorCode::kUsage, symbol + " " + flags.timeframe,
                fmt::format("is there of several markets: {}", fmt::join(markets, ", ")),
                "choose one with --market");
  }
  if (!markets.empty()) key.market = markets.front();
  if (key.market.empty()) key.market = "import";  // Read says what there is instead
  return key;
}

struct Candles {
  std::vector<CandleSeries> series;
  std::string hashes;
};

Candles ReadCandles(const FeatureBinFlags& flags, const Home& home) {
  const CandleStore store(home);
  Candles candles;
  for (const std::string& symbol : flags.symbols) {
    candles.series.push_back(store.Read(KeyOf(store, flags, symbol),
                                        ParseBound("--from", flags.from, kMinTime),
                                        ParseBound("--to", flags.to, kMaxTime)));
    candles.hashes += CandleStore::ContentHash(candles.series.back());
  }
  return candles;
}

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

Rows RowsOf(const FeatureBinFlags& flags, const Candles& candles,
            const std::vector<TimeMs>& times) {
  if (flags.target.empty()) return EveryRow(times, SplitOf(flags));
  const std::string symbol =
      flags.target_symbol.empty() ? flags.symbols.front() : flags.target_symbol;
  const auto place = std::find(flags.symbols.begin(), flags.symbols.end(), symbol);
  if (place == flags.symbols.end()) {
    throw Error(ErrorCode::kUsage, "--target-symbol " + symbol, "is not among --symbols");
  }
  const ConfigDocument document = ConfigDocument::Parse(flags.target, "--target");
  const AnyTarget target = AnyTargetFromConfig(document.root());
  const auto series = static_cast<size_t>(place - flags.symbols.begin());
  return LabelledRows(times, BuildLabels(target, candles.series[series]), SplitOf(flags));
}

void Report(const BinBuildReport& report, const FeatureBinFlags& flags, double seconds,
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
  invocation.Say((flags.out / "columns.bins").string());
}

}  // namespace

void AddFeatureBinFlags(CLI::App& command, FeatureBinFlags& flags) {
  command.add_option("--set", flags.set, "Bins of a shipped set's columns instead of a recipe's");
  command
      .add_option("--symbols", flags.symbols, "With --set: symbols, the first one's columns first")
      ->delimiter(',');
  command.add_option("--timeframe", flags.timeframe, "With --set: length of a bar");
  command.add_option("--market", flags.market, "With --set: market (the only one that there is)");
  command.add_option("--from", flags.from, "With --set: first open time");
  command.add_option("--to", flags.to, "With --set: before this open time");
  command.add_option("--target", flags.target,
                     "With --set: rows are this target's, such as '{kind: swing, look_back: 10}' "
                     "(every bar)");
  command.add_option("--target-symbol", flags.target_symbol, "Whose target (the first symbol's)");
  command.add_option("--validation", flags.validation, "Share of the rows after training (0.15)");
  command.add_option("--test", flags.test, "Share of the rows after validation (0.15)");
  command.add_option("--correlation-rows", flags.correlation_rows,
                     "Training rows that columns are compared over, at most (25000)");
  command.add_option("--memory", flags.memory, "The most to have in use, such as 800MB (4GB)");
}

int BuildFeatureBins(const FeatureBinFlags& flags, Invocation& invocation) {
  if (flags.symbols.empty() || flags.timeframe.empty()) {
    throw Error(ErrorCode::kUsage, "features build --set", "needs --symbols and --timeframe",
                "such as --symbols BTCUSDT,ETHUSDT --timeframe 5m");
  }
  const auto start = std::chrono::steady_clock::now();
  BinBuildSpec spec;
  spec.memory = ParseMemory(flags.memory);
  spec.prune.correlation_rows = flags.correlation_rows;
  const Candles candles = ReadCandles(flags, invocation.home());
  const Frame frame(candles.series);
  const FeatureStream stream(FeatureSet::Named(flags.set), frame);
  const ColumnStream columns = StreamOf(stream);
  const Rows rows = RowsOf(flags, candles, columns.times);
  spec.target = rows.target;
  const Json configuration = {{"set", flags.set},
                              {"series", ToString(frame.key())},
                              {"candles", Sha256(candles.hashes)},
                              {"target", flags.target},
                              {"target_symbol", flags.target_symbol},
                              {"split", rows.split.ToJson()}};
  spec.configuration = configuration.dump();
  Hasher hasher;
  hasher.Add(spec.configuration).Add(stream.set().ToJson().dump()).Add(spec.prune.ToJson().dump());
  hasher.Add(CodeVersionOf({"base", "market", "lake", "feature", "target", "dataset"}));
  spec.key = hasher.Finish();
  const BinBuildReport report =
      BuildBins(columns, rows.bins, spec, flags.out, invocation.progress());
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  Report(report, flags, taken.count(), invocation);
  std::vector<std::string> names;
  for (const MatrixColumn& column : columns.names) names.push_back(column.name);
  Json document = report.ToJson(names);
  document["folder"] = flags.out.string();
  document["peak_memory"] = report.peak_memory;
  invocation.PrintJson(document);
  return 0;
}

}  // namespace almanac
