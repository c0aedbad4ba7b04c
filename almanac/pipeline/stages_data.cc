// The stages from the source to the dataset: collect, audit, features, dataset.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/hash.h"
#include "almanac/base/text.h"
#include "almanac/lake/database.h"
#include "almanac/market/fill.h"
#include "almanac/pipeline/feature_frame.h"
#include "almanac/pipeline/stage_run.h"
#include "almanac/source/backfill.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

// What a symbol's failed download means for the run, which needs all of its symbols.
void ThrowFirstError(const BackfillReport& report) {
  for (const BackfillOutcome& outcome : report.outcomes) {
    if (outcome.error) throw Error(*outcome.error);  // names its series
  }
}

std::string UnsoundText(const SeriesAudit& audit) {
  std::vector<std::string> findings;
  const auto add = [&](const AuditFinding& finding, const char* name) {
    if (finding.count == 0) return;
    const std::string first =
        finding.places.empty() ? "" : ", first at " + FormatTime(finding.places.front().time);
    findings.push_back(fmt::format("{} {}{}", FormatCount(finding.count), name, first));
  };
  add(audit.duplicates, "duplicates");
  add(audit.out_of_order, "out of order");
  add(audit.off_grid, "off the grid");
  add(audit.ohlc_violations, "bars whose open, high, low and close contradict each other");
  add(audit.non_finite, "values that are not finite");
  add(audit.negative, "negative values");
  add(audit.zero_price, "prices of zero");
  return fmt::format("{}", fmt::join(findings, "; "));
}

std::string GapText(const SeriesAudit& audit) {
  return audit.gaps.empty()
             ? "nothing missing"
             : fmt::format("{} gaps, {} bars missing", audit.gaps.size(), audit.missing_bars);
}

// Of all rows of a panel, labelled or not.
void WritePanelLabels(const fs::path& file, const Dataset& data,
                      std::span<const Dataset::Origin> origin,
                      const std::vector<SymbolState*>& members) {
  DatabaseOptions options;
  options.threads = 1;
  const Database database(options);
  std::vector<std::string> symbols;
  for (const Dataset::Origin& row : origin) symbols.push_back(members[row.part]->key.symbol);
  WriteParquet(database, file,
               {{"symbol", ColumnType::kText, symbols.data()},
                {"known_at", ColumnType::kTimestampMs, data.times().data()},
                {"label_end", ColumnType::kTimestampMs, data.label_end().data()},
                {data.target_name(), ColumnType::kDouble, data.target().data(), true}},
               data.rows());
}

void WriteLabels(const fs::path& file, const Labels& labels) {
  DatabaseOptions options;
  options.threads = 1;
  const Database database(options);
  WriteParquet(database, file,
               {{"known_at", ColumnType::kTimestampMs, labels.t0.data()},
                {"label_end", ColumnType::kTimestampMs, labels.t1.data()},
                {labels.name, ColumnType::kDouble, labels.value.data(), true}},
               labels.rows());
}

}  // namespace

void StageRun::Collect() {
  const DataSection& data = recipe_.data;
  if (data.source == "lake") {
    for (const SymbolState& state : symbols_) {
      // Read throws with what there is instead.
      if (!candles_.Find(state.key)) candles_.Read(state.key);
    }
    Note("collect", "lake", StageStatus::kComplete, "");
    return;
  }
  if (options_.dry_run) {
    const bool there = std::all_of(symbols_.begin(), symbols_.end(), [&](const SymbolState& state) {
      const auto info = candles_.Find(state.key);
      return info && info->from <= data.from &&
             info->to + state.key.timeframe.duration() >= data.to;
    });
    Note("collect", data.source, there ? StageStatus::kComplete : StageStatus::kToDo, "");
    return;
  }
  const auto source = MakeCandleSource(data.source, data.options);
  BackfillRequest request;
  request.symbols = data.symbols;
  request.timeframe = data.timeframe;
  request.from = data.from;
  request.to = data.to;
  request.market = data.market;
  request.refresh = IsForced("collect");
  progress_.Begin("collect from " + data.source, 0);
  const BackfillReport report = Backfill(*source, candles_, home_, request, NoProgress());
  ThrowFirstError(report);
  const bool up_to_date = std::all_of(report.outcomes.begin(), report.outcomes.end(),
                                      [](const BackfillOutcome& o) { return o.up_to_date; });
  const std::string result =
      up_to_date ? "up to date" : FormatCount(report.received) + " bars received";
  progress_.End(result);
  Note("collect", data.source, up_to_date ? StageStatus::kComplete : StageStatus::kMade, result);
}

void StageRun::ReadCandles() {
  for (SymbolState& state : symbols_) {
    const CandleSeries raw = candles_.Read(state.key, recipe_.data.from, recipe_.data.to);
    if (raw.empty()) {
      const auto info = candles_.Find(state.key);
      throw Error(
          ErrorCode::kBadData, ToString(state.key), "has no bars in the recipe's range",
          fmt::format("the lake has {} to {}", FormatTime(info->from), FormatTime(info->to)));
    }
    state.candles_hash = CandleStore::ContentHash(raw);
    FillResult filled = Fill(raw, recipe_.data.fill, *recipe_.data.calendar);
    state.filled = filled.filled.size();
    state.candles = std::move(filled.series);
    ReadExecutionCandles(state);
  }
  if (!panel_) return;
  std::string hashes;
  for (const SymbolState* member : panel_->members) {
    hashes += member->candles_hash;
    panel_->filled += member->filled;
  }
  panel_->candles_hash = Sha256(hashes);
}

// The bars that a signal backtest is executed on, if they are others than the forecasts', and the
// funding rates.
void StageRun::ReadExecutionCandles(SymbolState& state) {
  const SignalSection& signal = recipe_.backtest.signal;
  if (signal.funding.given()) {
    state.funding = ReadFunding(signal.funding, state.key.symbol, home_);
    state.execution_hash = HashOf(state.funding);
  }
  if (!signal.timeframe && signal.market.empty()) return;
  SeriesKey key = state.key;
  if (signal.timeframe) key.timeframe = *signal.timeframe;
  if (!signal.market.empty()) key.market = signal.market;
  state.execution_candles = candles_.Read(key, recipe_.data.from, recipe_.data.to);
  state.execution_hash += CandleStore::ContentHash(*state.execution_candles);
}

const SeriesAudit& StageRun::AuditOf(SymbolState& state) const {
  if (!state.audit_result) {
    AuditOptions options;
    options.calendar = recipe_.data.calendar;
    const CandleSeries raw = state.filled == 0
                                 ? state.candles
                                 : candles_.Read(state.key, recipe_.data.from, recipe_.data.to);
    state.audit_result = Audit(raw, options);
  }
  return *state.audit_result;
}

void StageRun::AuditStage(SymbolState& state) {
  const Json configuration = {{"calendar", recipe_.data.calendar->name()},
                              {"refuse_unsound", recipe_.data.refuse_unsound}};
  state.audit = KeyOf("audit", configuration.dump());
  state.audit.inputs = {{"candles", state.candles_hash}};
  Make(state.audit, state.key.symbol, [&](const fs::path& folder) {
    const SeriesAudit& audit = AuditOf(state);
    if (!audit.IsSound() && recipe_.data.refuse_unsound) {
      throw Error(ErrorCode::kBadData, ToString(state.key),
                  "the series is not sound: " + UnsoundText(audit),
                  "mend the data, or set data.on_unsound to warn");
    }
    WriteFileAtomic(folder / "audit.json", ToJson(audit).dump(2) + "\n");
    return FormatCount(audit.bars) + " bars, " + GapText(audit);
  });
}

void StageRun::FeaturesStage(SymbolState& state) {
  const Json configuration = {
      {"features", recipe_.features.ToJson()},
      {"fill", ToString(recipe_.data.fill)},
      {"calendar", recipe_.data.calendar->name()},
      {"leak_audit", {{"cuts", recipe_.leak_audit.cuts}, {"seed", recipe_.leak_audit.seed}}}};
  state.features = KeyOf("features", configuration.dump());
  state.features.inputs = {{"candles", state.candles_hash}};
  const auto observations = ObservationsFor(recipe_.features, state.key.symbol, home_);
  if (observations != nullptr) {
    state.features.inputs.emplace_back("observations",
                                       HashOf(recipe_.features, state.key.symbol, observations));
  }
  Make(state.features, state.key.symbol, [&](const fs::path& folder) {
    const Frame frame = FeatureFrame(state.candles, recipe_.data.calendar, observations);
    const FeatureTable table = BuildFeatures(recipe_.features, frame);
    const LeakAudit audit = AuditFeatures(recipe_.features, frame, table, recipe_.leak_audit);
    RequireNoLeak(audit, state.key);
    fs::create_directories(folder / "matrix");
    WriteMatrix(folder / "matrix", table.index, table.names, table.columns,
                recipe_.features.ToJson());
    WriteFileAtomic(folder / "leak_audit.json", ToJson(audit).dump(2) + "\n");
    return fmt::format("{} columns x {} rows, no leak at {} cuts", table.columns.size(),
                       FormatCount(static_cast<int64_t>(table.rows())), audit.cuts.size());
  });
}

const Labels& StageRun::LabelsOf(SymbolState& state) const {
  if (!state.labels) state.labels = BuildLabels(recipe_.target, state.candles);
  return *state.labels;
}

const Dataset& StageRun::DataOf(SymbolState& state) const {
  if (!state.data && !state.members.empty()) {
    std::vector<const Dataset*> parts;
    for (SymbolState* member : state.members) parts.push_back(&DataOf(*member));
    state.data =
        std::make_shared<const Dataset>(Dataset::Pool(state.key.symbol, parts, &state.origin));
  }
  if (!state.data) {
    const auto matrix = std::make_shared<const Matrix>(FolderOf(state.features) / "matrix");
    state.data =
        std::make_shared<const Dataset>(Dataset::Join(state.key.symbol, matrix, LabelsOf(state)));
  }
  return *state.data;
}

const DataSplit& StageRun::SplitOf(SymbolState& state) const {
  if (!state.split) state.split = DataOf(state).SplitRows(recipe_.split);
  return *state.split;
}

void StageRun::DatasetStage(SymbolState& state) {
  const Json configuration = {{"target", recipe_.target.ToJson()},
                              {"split", recipe_.split.ToJson()}};
  state.dataset = KeyOf("dataset", configuration.dump());
  if (state.members.empty()) state.dataset.inputs = {{"features", state.features.Hash()}};
  for (const SymbolState* member : state.members) {
    state.dataset.inputs.emplace_back(member->key.symbol, member->features.Hash());
  }
  Make(state.dataset, state.key.symbol, [&](const fs::path& folder) {
    const DataSplit& split = SplitOf(state);
    if (state.members.empty()) {
      WriteLabels(folder / "labels.parquet", LabelsOf(state));
    } else {
      WritePanelLabels(folder / "labels.parquet", DataOf(state), state.origin, state.members);
    }
    WriteFileAtomic(folder / "split.json", split.ToJson().dump(2) + "\n");
    return fmt::format("{} training, {} validation, {} test rows, {} purged",
                       FormatCount(static_cast<int64_t>(split.training().size())),
                       FormatCount(static_cast<int64_t>(split.rows(Part::kValidation).size())),
                       FormatCount(static_cast<int64_t>(split.rows(Part::kTest).size())),
                       FormatCount(static_cast<int64_t>(split.purged())));
  });
}

}  // namespace almanac
