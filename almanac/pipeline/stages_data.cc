// The stages from the source to the dataset: collect, audit, features, dataset.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/hash.h"
#include "almanac/base/text.h"
#include "almanac/feature/lineage.h"
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

std::string SplitText(const RunSplit& split) {
  const auto count = [](size_t rows) { return FormatCount(static_cast<int64_t>(rows)); };
  const Fold& first = split.folds.front();
  if (split.parts) {
    return fmt::format("{} training, {} validation, {} test rows, {} purged",
                       count(first.training.size()), count(first.validation.size()),
                       count(first.test.size()), count(first.purged));
  }
  size_t test = 0, purged = 0, least = first.training.size(), most = least;
  for (const Fold& fold : split.folds) {
    test += fold.test.size();
    purged += fold.purged;
    least = std::min(least, fold.training.size());
    most = std::max(most, fold.training.size());
  }
  return fmt::format("{} folds, {} to {} training rows, {} test rows, {} purged",
                     split.folds.size(), count(least), count(most), count(test), count(purged));
}

void WriteLabels(const fs::path& file, const Labels& labels) {
  DatabaseOptions options;
  options.threads = 1;
  const Database database(options);
  std::vector<InputColumn> columns = {
      {"known_at", ColumnType::kTimestampMs, labels.t0.data()},
      {"label_end", ColumnType::kTimestampMs, labels.t1.data()},
      {labels.name, ColumnType::kDouble, labels.value.data(), true}};
  std::vector<std::string> names;
  if (labels.has_classes()) {
    for (const double value : labels.value) {
      names.push_back(std::isnan(value) ? "" : labels.classes[static_cast<size_t>(value)]);
    }
    columns.push_back({"class", ColumnType::kText, names.data()});
  }
  WriteParquet(database, file, columns, labels.rows());
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
  request.symbols = data.AllSymbols();
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

std::vector<std::string> StageRun::FrameOf(const SymbolState& state) const {
  return recipe_.data.frame.empty() ? std::vector<std::string>{state.key.symbol}
                                    : recipe_.data.frame;
}

FeatureSet StageRun::Columns() const {
  return recipe_.data.frame.empty() ? recipe_.features
                                    : recipe_.features.BoundTo(recipe_.data.frame);
}

std::optional<std::vector<TimeMs>> StageRun::FeatureTimes(const SymbolState& state) const {
  if (!IsAtEvents(recipe_.target)) return std::nullopt;
  for (const ModelSection& model : recipe_.models) {
    if (recipe_.kinds.Make(model.config)->LooksBack()) return std::nullopt;
  }
  std::vector<TimeMs> times;
  const auto add = [&](const SymbolState& symbol) {
    const std::vector<TimeMs> events = BuildLabels(recipe_.target, symbol.candles).t0;
    times.insert(times.end(), events.begin(), events.end());
  };
  // Symbols of a frame are judged on one matrix.
  if (recipe_.data.frame.empty()) {
    add(state);
  } else {
    for (const SymbolState* judged : judged_) add(*judged);
  }
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end()), times.end());
  return times;
}

std::string StageRun::MakeFeatures(const SymbolState& state, const fs::path& folder) const {
  std::vector<const CandleSeries*> series;
  for (const std::string& symbol : FrameOf(state)) {
    for (const SymbolState& other : symbols_) {
      if (other.key.symbol == symbol) series.push_back(&other.candles);
    }
  }
  Frame frame = Frame::Of(series, FrameRows::kUnion, recipe_.data.calendar);
  frame.SetObservations(ObservationsFor(recipe_.features, FrameOf(state), home_));
  fs::create_directories(folder / "matrix");
  const size_t rows =
      WriteFeatures(recipe_.features, frame, folder / "matrix", NoProgress(), FeatureTimes(state));
  const LeakAudit audit = AuditFeatures(recipe_.features, frame, recipe_.leak_audit);
  RequireNoLeak(audit, frame.key());
  WriteFileAtomic(folder / "leak_audit.json", ToJson(audit).dump(2) + "\n");
  return fmt::format("{} columns x {} rows, no leak at {} cuts", audit.columns,
                     FormatCount(static_cast<int64_t>(rows)), audit.cuts.size());
}

// Of a frame once for all of its symbols.
void StageRun::FeaturesStage(SymbolState& state) {
  Json configuration = {
      {"features", Columns().ToJson()},
      {"fill", ToString(recipe_.data.fill)},
      {"calendar", recipe_.data.calendar->name()},
      {"leak_audit", {{"cuts", recipe_.leak_audit.cuts}, {"seed", recipe_.leak_audit.seed}}}};
  if (const auto times = FeatureTimes(state)) {
    Hasher hasher;
    for (const TimeMs time : *times) hasher.Add(time);
    configuration["rows"] = hasher.Finish();
  }
  const std::vector<std::string> frame = FrameOf(state);
  state.features = KeyOf("features", configuration.dump());
  for (const SymbolState& other : symbols_) {
    if (std::find(frame.begin(), frame.end(), other.key.symbol) == frame.end()) continue;
    const std::string role = frame.size() == 1 ? "candles" : "candles " + other.key.symbol;
    state.features.inputs.emplace_back(role, other.candles_hash);
  }
  const auto observations = ObservationsFor(recipe_.features, frame, home_);
  if (observations != nullptr) {
    state.features.inputs.emplace_back("observations",
                                       HashOf(recipe_.features, frame, observations));
  }
  const bool is_first = &state == judged_.front() || recipe_.data.frame.empty();
  if (!is_first) return;
  Make(state.features, fmt::format("{}", fmt::join(frame, "+")),
       [&](const fs::path& folder) { return MakeFeatures(state, folder); });
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

const RunSplit& StageRun::SplitOf(SymbolState& state) const {
  if (!state.split) state.split = SplitFor(recipe_.split, DataOf(state));
  return *state.split;
}

Dataset StageRun::PrunedFor(SymbolState& state, size_t fold, const Dataset& data) const {
  if (!recipe_.prune) return data;
  if (state.kept.empty()) {
    const Json json = Json::parse(ReadFile(FolderOf(state.dataset) / "prune.json"));
    const std::vector<std::string>& names = DataOf(state).feature_names();
    std::map<std::string, size_t> place;
    for (size_t c = 0; c < names.size(); ++c) place[names[c]] = c;
    for (const Json& report : json) {
      std::vector<size_t>& kept = state.kept.emplace_back();
      for (const Json& name : report.at("kept")) kept.push_back(place.at(name.get<std::string>()));
    }
  }
  return data.WithColumns(state.kept[fold]);
}

void StageRun::DatasetStage(SymbolState& state) {
  Json configuration = {{"target", ToJson(recipe_.target)}, {"split", recipe_.split.ToJson()}};
  if (recipe_.prune) configuration["prune"] = recipe_.prune->ToJson();
  state.dataset = KeyOf("dataset", configuration.dump());
  if (state.members.empty()) {
    state.dataset.inputs = {{"features", state.features.Hash()}};
    // The features of a frame are the same for all of its symbols, the labels are not.
    if (!recipe_.data.frame.empty()) state.dataset.inputs.emplace_back("symbol", state.key.symbol);
  }
  for (const SymbolState* member : state.members) {
    state.dataset.inputs.emplace_back(member->key.symbol, member->features.Hash());
  }
  Make(state.dataset, state.key.symbol, [&](const fs::path& folder) {
    const RunSplit& split = SplitOf(state);
    if (state.members.empty()) {
      WriteLabels(folder / "labels.parquet", LabelsOf(state));
    } else {
      WritePanelLabels(folder / "labels.parquet", DataOf(state), state.origin, state.members);
    }
    WriteFileAtomic(folder / "split.json", split.ToJson(DataOf(state)).dump(2) + "\n");
    if (!recipe_.prune) return SplitText(split);
    const Lineage lineage = LineageOf(Columns());
    Json reports = Json::array();
    std::string kept;
    for (const Fold& fold : split.folds) {
      const PruneReport report =
          PruneColumns(DataOf(state), fold.training, *recipe_.prune, lineage);
      reports.push_back(report.ToJson(DataOf(state).feature_names()));
      kept += fmt::format("{}{}", kept.empty() ? "" : ", ", report.kept.size());
    }
    WriteFileAtomic(folder / "prune.json", reports.dump(2) + "\n");
    return fmt::format("{}; {} of {} columns kept", SplitText(split), kept,
                       DataOf(state).features());
  });
}

}  // namespace almanac
