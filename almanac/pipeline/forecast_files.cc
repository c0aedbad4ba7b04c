#include "almanac/pipeline/forecast_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "almanac/base/config.h"
#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/lake/candle_store.h"
#include "almanac/market/fill.h"
#include "almanac/pipeline/artifact.h"
#include "almanac/pipeline/paths.h"
#include "almanac/pipeline/recipe.h"
#include "almanac/pipeline/run_names.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

Json ParseFile(const fs::path& file) {
  Json json = Json::parse(ReadFile(file), nullptr, /*allow_exceptions=*/false);
  if (!json.is_discarded()) return json;
  throw Error(ErrorCode::kBadData, file.string(), "it is not JSON", "run the recipe again");
}

fs::path ArtifactOf(const Home& home, const std::string& stage, const std::string& hash) {
  fs::path folder = home.artifacts() / stage / hash;
  if (fs::is_directory(folder)) return folder;
  throw Error(ErrorCode::kBadData, folder.string(), "the run's artifact is gone",
              "run the recipe again");
}
fs::path ArtifactOf(const Home& home, const Json& stage) {
  return ArtifactOf(home, stage.at("stage"), stage.at("artifact"));
}

TimeMs TestFrom(const fs::path& dataset) {
  return *ParseTime(ParseFile(dataset / "split.json").at("test_from").get<std::string>());
}

void SetForAll(TimeMs from, FoundForecasts& found) {
  for (const std::string& symbol : found.table.symbol) found.test_from[symbol] = from;
}

FoundForecasts OfRun(const fs::path& folder, const Home& home) {
  FoundForecasts found;
  found.run = folder;
  std::map<std::string, TimeMs> of_dataset;
  const Json run = ParseFile(folder / "run.json");
  for (const Json& stage : run.at("stages")) {
    if (stage.at("stage") == "dataset") {
      of_dataset[stage.at("detail")] = TestFrom(ArtifactOf(home, stage));
    } else if (stage.at("stage") == "train") {
      found.table.Append(ForecastTable::Load(ArtifactOf(home, stage) / "forecasts.parquet"));
    }
  }
  // Of combinatorial folds, what the run itself judges.
  found.table = MeanOfRepeats(std::move(found.table));
  if (of_dataset.empty()) {
    throw Error(ErrorCode::kBadData, (folder / "run.json").string(), "it names no dataset",
                "run the recipe again");
  }
  for (const std::string& symbol : found.table.symbol) {
    // Of a panel there is one dataset, whatever the symbols.
    const auto own = of_dataset.find(symbol);
    found.test_from[symbol] = own != of_dataset.end() ? own->second : of_dataset.begin()->second;
  }
  return found;
}

// A table beside a manifest of the stage train: its dataset, where it is still there, knows the
// split.
FoundForecasts OfFile(const fs::path& file, const Home& home) {
  FoundForecasts found;
  found.file = file;
  found.table = ForecastTable::Load(file);
  const fs::path manifest = file.parent_path() / "manifest.json";
  std::error_code error;
  if (!fs::is_regular_file(manifest, error)) return found;
  const Json json = ParseFile(manifest);
  if (!json.is_object() || json.value("stage", "") != "train" || !json.contains("inputs")) {
    return found;
  }
  const fs::path dataset =
      ArtifactStore(home).FolderOf("dataset", json["inputs"].value("dataset", "unknown"));
  if (fs::is_directory(dataset, error)) SetForAll(TestFrom(dataset), found);
  return found;
}

class Loader {
 public:
  Loader(const ForecastRequest& request, const Home& home)
      : request_(request), home_(home), candles_(home) {}

  ForecastsWithBars Load() {
    for (const std::string& source : request_.sources) {
      const FoundForecasts found = FindForecasts(source, home_);
      if (!found.note.empty()) result_.notes.push_back(found.note);
      if (found.run.empty()) {
        AddFile(found, source);
      } else {
        AddRun(found);
      }
    }
    result_.table.Sort();
    result_.table.Validate();
    Narrow();
    for (auto& [symbol, bars] : series_) result_.series.push_back(std::move(bars));
    return std::move(result_);
  }

 private:
  void AddFile(const FoundForecasts& found, const std::string& source) {
    if (request_.market.empty() || request_.timeframe.empty()) {
      throw Error(ErrorCode::kUsage, source, "whose bars it is about is not known",
                  "add --market and --timeframe, such as --market binance-spot --timeframe 1h");
    }
    const std::set<std::string> symbols(found.table.symbol.begin(), found.table.symbol.end());
    for (const std::string& symbol : symbols) {
      const SeriesKey key{request_.market, symbol, Timeframe::Parse(request_.timeframe)};
      AddBars(key, [&] { return candles_.Read(key); });
    }
    result_.table.Append(found.table);
  }

  void AddRun(const FoundForecasts& found) {
    const Recipe recipe = LoadRecipe(found.run / "recipe.yaml", {}, home_);
    result_.table.Append(RowsOfPart(found.table, found.test_from, ForecastPart::kTest));
    // The symbols that were audited: a recipe may say "all" and leave them to the lake.
    const Json run = ParseFile(found.run / "run.json");
    for (const Json& stage : run.at("stages")) {
      if (stage.at("stage") != "audit") continue;
      const SeriesKey key{recipe.data.market, stage.at("detail").get<std::string>(),
                          recipe.data.timeframe};
      AddBars(key, [&] {
        return Fill(candles_.Read(key, recipe.data.from, recipe.data.to), recipe.data.fill,
                    *recipe.data.calendar)
            .series;
      });
    }
  }

  template <typename Read>
  void AddBars(const SeriesKey& key, const Read& read) {
    const auto found = series_.find(key.symbol);
    if (found == series_.end()) {
      series_.emplace(key.symbol, read());
      return;
    }
    if (found->second.key == key) return;
    throw Error(ErrorCode::kUsage, key.symbol,
                ToString(key) + " beside " + ToString(found->second.key),
                "judge forecasts of one market and timeframe at a time");
  }

  void Narrow() {
    const std::vector<std::string> known = result_.table.Models();
    for (const std::string& model : request_.models) {
      if (std::find(known.begin(), known.end(), model) != known.end()) continue;
      throw Error(ErrorCode::kUsage, "--model " + model, "it has no forecasts here",
                  fmt::format("the models are {}", fmt::join(known, ", ")));
    }
    const auto wanted = [&](const std::string& model) {
      return request_.models.empty() || std::find(request_.models.begin(), request_.models.end(),
                                                  model) != request_.models.end();
    };
    result_.table = result_.table.Where([&](size_t row) {
      return wanted(result_.table.model[row]) && result_.table.made_at[row] >= request_.from &&
             result_.table.made_at[row] < request_.to;
    });
    if (result_.table.rows() > 0) return;
    throw Error(ErrorCode::kUsage, "--from, --to", "no forecasts in that time", "widen it");
  }

  const ForecastRequest& request_;
  const Home& home_;
  CandleStore candles_;
  ForecastsWithBars result_;
  std::map<std::string, CandleSeries> series_;
};

}  // namespace

FoundForecasts FindForecasts(const std::string& source, const Home& home) {
  const fs::path path = source;
  std::error_code error;
  if (fs::is_regular_file(path, error)) return OfFile(path, home);
  if (!source.empty() && fs::exists(path / "run.json", error)) return OfRun(path, home);
  if (!source.empty() && fs::exists(path / "forecasts.parquet", error)) {
    return OfFile(path / "forecasts.parquet", home);
  }
  if (const auto run = FindRunByName(home, source)) {
    FoundForecasts found = OfRun(run->folder, home);
    found.note = run->note;
    return found;
  }
  const std::vector<std::string> runs = RunNames(home);
  const auto near = NearestWord(source, runs);
  throw Error(ErrorCode::kUsage, source, "no file, no artifact's folder and no run",
              near           ? "did you mean \"" + *near + "\"?"
              : runs.empty() ? "name a forecast table; this home has no runs"
                             : fmt::format("the runs are {}", fmt::join(runs, ", ")));
}

ForecastTable RowsOfPart(const ForecastTable& table, const std::map<std::string, TimeMs>& test_from,
                         ForecastPart part) {
  if (part == ForecastPart::kAll) return table;
  return table.Where([&](size_t row) {
    const bool test = table.made_at[row] >= test_from.at(table.symbol[row]);
    return test == (part == ForecastPart::kTest);
  });
}

ForecastTable RowsBetween(const ForecastTable& table, TimeMs from, TimeMs to) {
  return table.Where(
      [&](size_t row) { return table.made_at[row] >= from && table.made_at[row] < to; });
}

ForecastsWithBars LoadForecasts(const ForecastRequest& request, const Home& home) {
  return Loader(request, home).Load();
}

}  // namespace almanac
