#include "almanac/source/collect.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "almanac/base/cancel.h"

namespace almanac {
namespace {

std::optional<std::string> OptionalString(const ConfigNode& node, std::string_view key) {
  if (!node.Has(key)) return std::nullopt;
  return node.String(key);
}

CollectEntry ReadEntry(const ConfigNode& node) {
  CollectEntry entry;
  entry.place = node.Place();
  entry.source = node.Choice("source", CandleSourceNames());
  entry.market = node.String("market", "");
  entry.symbols = node.Strings("symbols");
  if (entry.symbols.empty()) {
    throw Error(ErrorCode::kUsage, node.Place("symbols"), "the list is empty",
                "name at least one symbol");
  }
  for (const std::string& name : node.Strings("timeframes")) {
    try {
      entry.timeframes.push_back(Timeframe::Parse(name));
    } catch (const Error& error) {
      throw error.Within(node.Place("timeframes"));
    }
  }
  if (entry.timeframes.empty()) {
    throw Error(ErrorCode::kUsage, node.Place("timeframes"), "the list is empty",
                "name at least one timeframe, such as 1h");
  }
  entry.from = node.Time("from");
  entry.base_url = OptionalString(node, "base_url");
  entry.feed = OptionalString(node, "feed");
  entry.adjustment = OptionalString(node, "adjustment");
  if (node.Has("requests_per_minute")) {
    entry.requests_per_minute = static_cast<int>(node.Int(
        "requests_per_minute", Range<int64_t>::Between(1, std::numeric_limits<int>::max())));
  }
  if (node.Has("seed")) {
    entry.seed = static_cast<uint64_t>(node.Int("seed", Range<int64_t>::AtLeast(0)));
    if (entry.source != "simulator") {
      throw Error(ErrorCode::kUsage, node.Place("seed"),
                  fmt::format("the source {} has no seed", entry.source), "leave it out");
    }
  }
  return entry;
}

SourceOptions OptionsOf(const CollectEntry& entry, const SourceOptions& base) {
  SourceOptions options = base;
  if (entry.base_url) options.base_url = entry.base_url;
  if (entry.feed) options.feed = entry.feed;
  if (entry.adjustment) options.adjustment = entry.adjustment;
  if (entry.requests_per_minute) options.requests_per_minute = entry.requests_per_minute;
  if (entry.seed) options.simulator.seed = *entry.seed;
  return options;
}

}  // namespace

std::vector<CollectEntry> ReadCollectConfig(const ConfigNode& node, std::string_view key) {
  std::vector<CollectEntry> entries;
  for (const ConfigNode& entry : node.Maps(key)) entries.push_back(ReadEntry(entry));
  if (entries.empty()) {
    throw Error(ErrorCode::kUsage, node.Place(key), "there is nothing to collect",
                "list at least one entry with source, symbols, timeframes and from");
  }
  return entries;
}

int CollectReport::exit_status() const {
  constexpr int kInterrupted = static_cast<int>(ErrorCode::kInterrupted);
  // As in BackfillReport: interrupted, wrong use, bad data, unavailable, failed.
  constexpr int kWorstFirst[] = {kInterrupted, 2, 3, 4, 1};
  for (const int status : kWorstFirst) {
    for (const Part& part : parts) {
      if ((part.error ? part.error->exit_status() : part.backfill.exit_status()) == status) {
        return status;
      }
    }
  }
  return 0;
}

CollectReport Collect(const std::vector<CollectEntry>& entries, const SourceOptions& options,
                      CandleStore& store, const Home& home, Progress& progress) {
  CollectReport report;
  for (const CollectEntry& entry : entries) {
    std::unique_ptr<CandleSource> source;
    for (const Timeframe timeframe : entry.timeframes) {
      CheckCancel();
      CollectReport::Part& part = report.parts.emplace_back();
      part.source = entry.source;
      part.place = entry.place;
      part.timeframe = timeframe;
      try {
        // One source an entry, so that its rate limit holds for all timeframes.
        if (!source) source = MakeCandleSource(entry.source, OptionsOf(entry, options));
        BackfillRequest request;
        request.symbols = entry.symbols;
        request.timeframe = timeframe;
        request.from = entry.from;
        request.market = entry.market;
        request.clock = options.clock;
        part.backfill = Backfill(*source, store, home, request, progress);
      } catch (const Error& error) {
        if (error.code() == ErrorCode::kInterrupted) throw;
        part.error = error.Within(entry.place);
      }
    }
  }
  return report;
}

Json ToJson(const CollectReport& report) {
  Json parts = Json::array();
  for (const CollectReport::Part& part : report.parts) {
    Json one;
    one["source"] = part.source;
    one["timeframe"] = part.timeframe.name();
    if (part.error) {
      one["error"] = part.error->what();
    } else {
      one["backfill"] = ToJson(part.backfill);
    }
    parts.push_back(std::move(one));
  }
  return parts;
}

}  // namespace almanac
