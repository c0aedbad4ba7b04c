#include "almanac/gbdt/screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

#include "almanac/base/cancel.h"
#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/hash.h"
#include "almanac/gbdt/metric.h"
#include "almanac/gbdt/train.h"

namespace almanac::gbdt {
namespace fs = std::filesystem;
namespace {

// Which rows of a variant are learnt from and which are judged: places in its vectors.
struct Parts {
  std::vector<size_t> training, validation;
};

// At most so many of `count` things, evenly spread.
std::vector<size_t> Thin(size_t count, size_t most) {
  std::vector<size_t> places(std::min(count, most));
  for (size_t i = 0; i < places.size(); ++i) {
    places[i] = count <= most ? i : i * count / most;
  }
  return places;
}

Parts PartsOf(const ScreenSpec& spec, const BinFile& file, const ScreenVariant& variant) {
  const std::vector<size_t> places = Thin(variant.rows.size(), spec.most_rows);
  const auto judged =
      static_cast<size_t>(std::lround(static_cast<double>(places.size()) * spec.validation_share));
  Parts parts;
  const size_t first = places.size() - judged;
  parts.validation.assign(places.begin() + static_cast<std::ptrdiff_t>(first), places.end());
  if (judged == 0) return parts;
  const TimeMs from = file.times()[variant.rows[places[first]]];
  for (size_t i = 0; i < first; ++i) {
    if (variant.end[places[i]] + spec.embargo < from) parts.training.push_back(places[i]);
  }
  return parts;
}

template <typename T>
std::vector<T> Pick(const std::vector<T>& values, const std::vector<size_t>& places) {
  std::vector<T> picked;
  picked.reserve(places.size());
  for (const size_t place : places) picked.push_back(values[place]);
  return picked;
}

bool IsConstant(const std::vector<float>& labels) {
  return std::all_of(labels.begin(), labels.end(), [&](float label) { return label == labels[0]; });
}

// The metric of the best constant forecast.
double NaiveMetric(const Params& params, const std::vector<float>& learnt,
                   const std::vector<float>& judged) {
  const auto classes = static_cast<size_t>(params.num_class);
  std::vector<double> means(classes, 0.0);
  for (const float label : learnt) {
    if (params.objective == "multiclass") {
      ++means[static_cast<size_t>(label)];
    } else {
      means[0] += params.objective == "binary" ? (label > 0 ? 1.0 : 0.0) : label;
    }
  }
  std::vector<double> predictions;
  for (const double mean : means) {
    predictions.insert(predictions.end(), judged.size(), mean / static_cast<double>(learnt.size()));
  }
  return Evaluate(params.metric[0], predictions, {judged, {}}, params);
}

std::vector<ScreenedColumn> BestColumns(const Model& model, size_t most) {
  const std::vector<double> gain = model.FeatureImportance(Importance::kGain);
  const double all = std::accumulate(gain.begin(), gain.end(), 0.0);
  std::vector<ScreenedColumn> best;
  for (uint32_t column = 0; column < gain.size(); ++column) {
    if (gain[column] > 0) best.push_back({column, gain[column] / all});
  }
  std::stable_sort(best.begin(), best.end(), [](const ScreenedColumn& a, const ScreenedColumn& b) {
    return a.share > b.share;
  });
  if (best.size() > most) best.resize(most);
  return best;
}

std::string KeyOf(const ScreenSpec& spec, const BinFile& file, const ScreenVariant& variant) {
  Hasher hasher;
  hasher.Add("almanac gbdt screen 1").Add(spec.ToJson().dump()).Add(file.description().dump());
  hasher.Add(variant.name).Add(variant.group);
  hasher.AddBytes(variant.rows.data(), variant.rows.size() * sizeof(uint32_t));
  hasher.AddBytes(variant.end.data(), variant.end.size() * sizeof(TimeMs));
  hasher.AddBytes(variant.label.data(), variant.label.size() * sizeof(float));
  return hasher.Finish();
}

// What an earlier call left; nothing if it is of something else or cannot be read.
std::optional<VariantResult> ReadResult(const fs::path& path, const std::string& key,
                                        const std::map<std::string, uint32_t>& column_of) {
  if (!fs::exists(path)) return std::nullopt;
  const Json json = Json::parse(ReadFile(path), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.value("key", "") != key) return std::nullopt;
  VariantResult result;
  result.left_out = json.at("left_out");
  result.rows = json.at("rows");
  result.validation_rows = json.at("validation_rows");
  result.rounds = json.at("rounds");
  result.metric = json.at("metric");
  result.naive_metric = json.at("naive_metric");
  for (const auto& [name, share] :
       json.at("best").get<std::vector<std::pair<std::string, double>>>()) {
    const auto found = column_of.find(name);
    if (found == column_of.end()) return std::nullopt;
    result.best.push_back({found->second, share});
  }
  return result;
}

[[noreturn]] void Refuse(const std::string& what, const std::string& remedy) {
  throw Error(ErrorCode::kUsage, "screening", what, remedy);
}

}  // namespace

void ScreenSpec::Check() const {
  if (params.early_stopping_round <= 0) {
    Refuse("early_stopping_round is not set", "give the rounds without improvement, such as 20");
  }
  if (!(validation_share > 0 && validation_share < 1)) {
    Refuse(fmt::format("the share {} for early stopping", validation_share),
           "give one between 0 and 1");
  }
  if (best_columns == 0 || least_chosen > most_chosen || most_chosen == 0) {
    Refuse(fmt::format("{} to {} columns chosen from the best {}", least_chosen, most_chosen,
                       best_columns),
           "give positive numbers, the smaller one first");
  }
  if (least_rows < 2 || least_rows > most_rows) {
    Refuse(fmt::format("{} to {} rows a variant", least_rows, most_rows),
           "give at least 2, the smaller number first");
  }
}

Json ScreenSpec::ToJson() const {
  return {{"parameters", params.ToModelText()},
          {"class_weight", params.class_weight},
          {"exact", params.exact},
          {"most_rows", most_rows},
          {"least_rows", least_rows},
          {"validation_share", validation_share},
          {"best_columns", best_columns},
          {"least_chosen", least_chosen},
          {"most_chosen", most_chosen},
          {"chosen_share", chosen_share},
          {"embargo", embargo}};
}

Json VariantResult::ToJson(const BinFile& file) const {
  Json columns = Json::array();
  for (const ScreenedColumn& column : best) {
    columns.push_back({file.column(column.column).name, column.share});
  }
  return {{"left_out", left_out}, {"rows", rows},     {"validation_rows", validation_rows},
          {"rounds", rounds},     {"metric", metric}, {"naive_metric", naive_metric},
          {"best", columns}};
}

Json Selection::ToJson(const BinFile& file) const {
  Json chosen = Json::array();
  for (const ChosenColumn& column : columns) {
    const auto variants = static_cast<double>(column.variants);
    chosen.push_back({{"name", file.column(column.column).name},
                      {"score", column.score},
                      {"variants", column.variants},
                      {"stability", trained > 0 ? variants / static_cast<double>(trained) : 0}});
  }
  const auto number = [](double value) { return std::isnan(value) ? Json() : Json(value); };
  return {{"columns", chosen},
          {"variants_trained", trained},
          {"variants_left_out", left_out},
          {"columns_among_the_best", seen_columns},
          {"held_share", held_share},
          {"stability", number(stability)},
          {"group_stability", number(group_stability)}};
}

double Stability(const std::vector<std::vector<uint32_t>>& sets, size_t all) {
  const auto count = static_cast<double>(sets.size()), columns = static_cast<double>(all);
  std::vector<double> share(all, 0.0);
  for (const std::vector<uint32_t>& set : sets) {
    for (const uint32_t column : set) share[column] += 1.0 / count;
  }
  double variance = 0, size = 0;
  for (const double p : share) {
    variance += count / (count - 1.0) * p * (1.0 - p);
    size += p;
  }
  const double chance = size / columns * (1.0 - size / columns);
  if (sets.size() < 2 || !(chance > 0)) return std::numeric_limits<double>::quiet_NaN();
  return 1.0 - variance / columns / chance;
}

VariantResult ScreenOne(const ScreenSpec& spec, const std::shared_ptr<const BinFile>& file,
                        const ScreenVariant& variant) {
  const auto start = std::chrono::steady_clock::now();
  VariantResult result;
  const Parts parts = PartsOf(spec, *file, variant);
  result.rows = parts.training.size();
  result.validation_rows = parts.validation.size();
  if (result.rows + result.validation_rows < spec.least_rows) {
    result.left_out = fmt::format("{} rows", result.rows + result.validation_rows);
    return result;
  }
  const std::vector<float> learnt = Pick(variant.label, parts.training);
  const std::vector<float> judged = Pick(variant.label, parts.validation);
  if (learnt.empty() || judged.empty() || IsConstant(learnt)) {
    result.left_out = "all rows have the same label";
    return result;
  }
  const BinnedData all = BinnedData::FromFile(file, spec.params, 0, file->rows());
  const BinnedData data = all.Subset(Pick(variant.rows, parts.training));
  const BinnedData other = all.Subset(Pick(variant.rows, parts.validation));
  const TrainResult trained =
      Train(spec.params, data, {learnt, {}}, {{"validation", other, {judged, {}}}});
  result.rounds = trained.best_round;
  result.metric = trained.evaluations[0].values[static_cast<size_t>(trained.best_round) - 1];
  result.naive_metric = NaiveMetric(spec.params, learnt, judged);
  result.best = BestColumns(trained.model, spec.best_columns);
  if (result.best.empty()) result.left_out = "no split was found";
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  result.seconds = passed.count();
  return result;
}

Selection SelectColumns(const ScreenSpec& spec, const std::vector<ScreenVariant>& variants,
                        const std::vector<VariantResult>& results, size_t columns) {
  Selection selection;
  std::vector<ChosenColumn> all(columns);
  std::vector<std::vector<uint32_t>> sets;
  std::map<std::string, std::vector<std::vector<uint32_t>>> sets_of_group;
  for (size_t v = 0; v < results.size(); ++v) {
    if (!results[v].left_out.empty()) {
      ++selection.left_out;
      continue;
    }
    ++selection.trained;
    std::vector<uint32_t>& set = sets.emplace_back();
    for (const ScreenedColumn& best : results[v].best) {
      all[best.column].score += best.share;
      ++all[best.column].variants;
      set.push_back(best.column);
    }
    sets_of_group[variants[v].group].push_back(set);
  }
  double sum = 0;
  for (uint32_t column = 0; column < columns; ++column) {
    all[column].column = column;
    all[column].score /= static_cast<double>(std::max<size_t>(1, selection.trained));
    sum += all[column].score;
  }
  std::erase_if(all, [](const ChosenColumn& column) { return column.variants == 0; });
  selection.seen_columns = all.size();
  std::stable_sort(all.begin(), all.end(),
                   [](const ChosenColumn& a, const ChosenColumn& b) { return a.score > b.score; });
  double held = 0;
  for (const ChosenColumn& column : all) {
    const size_t count = selection.columns.size();
    const bool is_enough = count >= spec.least_chosen && held >= spec.chosen_share * sum;
    if (is_enough || count == spec.most_chosen) break;
    held += column.score;
    selection.columns.push_back(column);
  }
  selection.held_share = sum > 0 ? held / sum : 0;
  selection.stability = Stability(sets, columns);
  double stabilities = 0, groups = 0;
  for (const auto& [group, of_group] : sets_of_group) {
    const double stability = Stability(of_group, columns);
    if (std::isnan(stability)) continue;
    stabilities += stability;
    ++groups;
  }
  selection.group_stability =
      groups > 0 ? stabilities / groups : std::numeric_limits<double>::quiet_NaN();
  return selection;
}

Selection Screen(
    const ScreenSpec& spec, const std::shared_ptr<const BinFile>& file, size_t count,
    const std::function<ScreenVariant(size_t)>& make, const fs::path& folder,
    const std::function<void(size_t, const ScreenVariant&, const VariantResult&, bool)>& on_done) {
  spec.Check();
  std::map<std::string, uint32_t> column_of;
  for (uint32_t c = 0; c < file->columns(); ++c) column_of.emplace(file->column(c).name, c);
  std::vector<ScreenVariant> variants;
  std::vector<VariantResult> results;
  for (size_t i = 0; i < count; ++i) {
    CheckCancel();
    ScreenVariant variant = make(i);
    const std::string key = KeyOf(spec, *file, variant);
    const fs::path path = folder / "variants" / (variant.name + ".json");
    std::optional<VariantResult> result = ReadResult(path, key, column_of);
    const bool was_there = result.has_value();
    if (!was_there) {
      result = ScreenOne(spec, file, variant);
      Json json = result->ToJson(*file);
      json["key"] = key;
      json["variant"] = variant.name;
      WriteFileAtomic(path, json.dump(1) + "\n");
    }
    if (on_done) on_done(i, variant, *result, was_there);
    variants.push_back({std::move(variant.name), std::move(variant.group), {}, {}, {}});
    results.push_back(*std::move(result));
  }
  const Selection selection = SelectColumns(spec, variants, results, file->columns());
  std::string names;
  for (const ChosenColumn& column : selection.columns) {
    names += file->column(column.column).name + "\n";
  }
  Json json = selection.ToJson(*file);
  json["screening"] = spec.ToJson();
  WriteFileAtomic(folder / "columns.txt", names);
  WriteFileAtomic(folder / "selection.json", json.dump(1) + "\n");
  return selection;
}

}  // namespace almanac::gbdt
