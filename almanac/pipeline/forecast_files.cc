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
#include "almanac/pipeline/recipe.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

std::vector<std::string> RunNames(const Home& home) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(home.runs(), error)) {
    if (fs::exists(entry.path() / "run.json")) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Json ParseFile(const fs::path& file) {
  Json json = Json::parse(ReadFile(file), nullptr, /*allow_exceptions=*/false);
  if (!json.is_discarded()) return json;
  throw Error(ErrorCode::kBadData, file.string(), "it is not JSON", "run the recipe again");
}

// The rows that `keep` says yes to.
template <typename Keep>
ForecastTable Filtered(const ForecastTable& table, const Keep& keep) {
  ForecastTable kept;
  kept.quantity = table.quantity;
  for (const ForecastTable::Extra& extra : table.extra) kept.extra.push_back({extra.name, {}});
  for (size_t row = 0; row < table.rows(); ++row) {
    if (!keep(row)) continue;
    kept.Append({table.model[row], table.symbol[row], table.made_at[row], table.target_time[row],
                 table.horizon[row], table.price[row], table.value[row]});
    for (size_t e = 0; e < table.extra.size(); ++e) {
      kept.extra[e].values.back() = table.extra[e].values[row];
    }
  }
  return kept;
}

class Loader {
 public:
  Loader(const ForecastRequest& request, const Home& home)
      : request_(request), home_(home), candles_(home) {}

  ForecastsWithBars Load() {
    for (const std::string& source : request_.sources) AddSource(source);
    result_.table.Sort();
    result_.table.Validate();
    Narrow();
    for (auto& [symbol, bars] : series_) result_.series.push_back(std::move(bars));
    return std::move(result_);
  }

 private:
  void AddSource(const std::string& source) {
    const fs::path path = source;
    std::error_code error;
    if (fs::is_regular_file(path, error)) {
      AddFile(path, source);
    } else if (fs::exists(path / "run.json", error)) {
      AddRun(path);
    } else if (fs::exists(path / "forecasts.parquet", error)) {
      AddFile(path / "forecasts.parquet", source);
    } else if (!source.empty() && fs::exists(home_.runs() / source / "run.json", error)) {
      AddRun(home_.runs() / source);
    } else {
      const std::vector<std::string> runs = RunNames(home_);
      const auto near = NearestWord(source, runs);
      throw Error(ErrorCode::kUsage, source, "no file, no artifact's folder and no run",
                  near           ? "did you mean \"" + *near + "\"?"
                  : runs.empty() ? "name a forecast table; this home has no runs"
                                 : fmt::format("the runs are {}", fmt::join(runs, ", ")));
    }
  }

  void AddFile(const fs::path& file, const std::string& source) {
    if (request_.market.empty() || request_.timeframe.empty()) {
      throw Error(ErrorCode::kUsage, source, "whose bars it is about is not known",
                  "add --market and --timeframe, such as --market binance-spot --timeframe 1h");
    }
    const ForecastTable table = ForecastTable::Load(file);
    const std::set<std::string> symbols(table.symbol.begin(), table.symbol.end());
    for (const std::string& symbol : symbols) {
      const SeriesKey key{request_.market, symbol, Timeframe::Parse(request_.timeframe)};
      AddBars(key, [&] { return candles_.Read(key); });
    }
    result_.table.Append(table);
  }

  void AddRun(const fs::path& folder) {
    const Recipe recipe = LoadRecipe(folder / "recipe.yaml", {}, home_);
    const Json run = ParseFile(folder / "run.json");
    std::map<std::string, TimeMs> test_from;
    for (const Json& stage : run.at("stages")) {
      if (stage.at("stage") != "dataset") continue;
      const Json split = ParseFile(ArtifactOf(stage) / "split.json");
      test_from[stage.at("detail")] = *ParseTime(split.at("test_from").get<std::string>());
    }
    for (const Json& stage : run.at("stages")) {
      if (stage.at("stage") != "train") continue;
      const ForecastTable table = ForecastTable::Load(ArtifactOf(stage) / "forecasts.parquet");
      // Of a panel there is one dataset, whatever the symbols.
      const bool one_for_all = recipe.data.panel && !test_from.empty();
      result_.table.Append(Filtered(table, [&](size_t row) {
        const TimeMs from =
            one_for_all ? test_from.begin()->second : test_from.at(table.symbol[row]);
        return table.made_at[row] >= from;
      }));
    }
    // The symbols that were audited: a recipe may say "all" and leave them to the lake.
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

  fs::path ArtifactOf(const Json& stage) const {
    fs::path folder = home_.artifacts() / stage.at("stage").get<std::string>() /
                      stage.at("artifact").get<std::string>();
    if (fs::is_directory(folder)) return folder;
    throw Error(ErrorCode::kBadData, folder.string(), "the run's artifact is gone",
                "run the recipe again");
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
    result_.table = Filtered(result_.table, [&](size_t row) {
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

ForecastsWithBars LoadForecasts(const ForecastRequest& request, const Home& home) {
  return Loader(request, home).Load();
}

}  // namespace almanac
