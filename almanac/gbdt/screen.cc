#include "almanac/gbdt/screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
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
#include "almanac/gbdt/train_many.h"

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

// A variant ready to be trained, or why it is left out.
struct Prepared {
  size_t place = 0;  // among the variants
  VariantResult result;
  std::vector<uint32_t> rows, judged_rows;  // of the file
  std::vector<float> label, judged_label;
};

Prepared Prepare(const ScreenSpec& spec, const BinFile& file, const ScreenVariant& variant) {
  Prepared prepared;
  VariantResult& result = prepared.result;
  const Parts parts = PartsOf(spec, file, variant);
  result.rows = parts.training.size();
  result.validation_rows = parts.validation.size();
  if (result.rows + result.validation_rows < spec.least_rows) {
    result.left_out = fmt::format("{} rows", result.rows + result.validation_rows);
    return prepared;
  }
  prepared.label = Pick(variant.label, parts.training);
  prepared.judged_label = Pick(variant.label, parts.validation);
  if (prepared.label.empty() || prepared.judged_label.empty() || IsConstant(prepared.label)) {
    result.left_out = "all rows have the same label";
    return prepared;
  }
  prepared.rows = Pick(variant.rows, parts.training);
  prepared.judged_rows = Pick(variant.rows, parts.validation);
  return prepared;
}

Variant ToTrain(const ScreenSpec& spec, const std::string& name, const Prepared& prepared) {
  return {name,
          spec.params,
          prepared.rows,
          {prepared.label, {}},
          {{"validation", prepared.judged_rows, {prepared.judged_label, {}}}}};
}

void Conclude(const ScreenSpec& spec, const TrainResult& trained, Prepared& prepared) {
  VariantResult& result = prepared.result;
  result.rounds = trained.best_round;
  result.metric = trained.evaluations[0].values[static_cast<size_t>(trained.best_round) - 1];
  result.naive_metric = NaiveMetric(spec.params, prepared.label, prepared.judged_label);
  result.best = BestColumns(trained.model, spec.best_columns);
  if (result.best.empty()) result.left_out = "no split was found";
}

// `common` is what all variants share.
std::string KeyOf(const std::string& common, const ScreenVariant& variant) {
  Hasher hasher;
  hasher.Add("almanac gbdt screen 2").Add(common);
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
          {"feature_screen",
           {params.feature_screen, params.feature_screen_start, params.feature_screen_freq}},
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

VariantResult ScreenOne(const ScreenSpec& spec, const std::shared_ptr<const BinFile>& file,
                        const ScreenVariant& variant) {
  Prepared prepared = Prepare(spec, *file, variant);
  if (!prepared.result.left_out.empty()) return prepared.result;
  const BinnedData all = BinnedData::FromFile(file, spec.params, 0, file->rows());
  const Variant one = ToTrain(spec, variant.name, prepared);
  const BinnedData data = all.Subset(prepared.rows), judged = all.Subset(prepared.judged_rows);
  const Validation validation{"validation", judged, one.validations[0].targets};
  Conclude(spec, Train(spec.params, data, one.targets, {validation}), prepared);
  return prepared.result;
}

namespace {

// All variants of one screening: what an earlier call left, and the others trained, many at once.
class Screening {
 public:
  Screening(const ScreenSpec& spec, const std::shared_ptr<const BinFile>& file, fs::path folder,
            const ScreenDone& on_done)
      : spec_(spec),
        file_(*file),
        data_(BinnedData::FromFile(file, spec.params, 0, file->rows())),
        folder_(std::move(folder)),
        on_done_(on_done),
        common_(Sha256(spec.ToJson().dump() + file_.description().dump())) {
    for (uint32_t c = 0; c < file_.columns(); ++c) column_of_.emplace(file_.column(c).name, c);
  }

  void Add(ScreenVariant variant) {
    const size_t place = variants_.size();
    keys_.push_back(KeyOf(common_, variant));
    results_.emplace_back();
    const std::optional<VariantResult> kept =
        ReadResult(PathOf(variant.name), keys_[place], column_of_);
    Prepared prepared;
    if (!kept) prepared = Prepare(spec_, file_, variant);
    variants_.push_back({std::move(variant.name), std::move(variant.group), {}, {}, {}});
    if (kept) return Finish(place, *kept, true);
    if (!prepared.result.left_out.empty()) return Keep(place, prepared.result);
    prepared.place = place;
    waiting_.push_back(std::move(prepared));
    if (waiting_.size() == kVariantsAtOnce) TrainWaiting();
  }

  void TrainWaiting() {
    std::vector<Variant> variants;
    for (const Prepared& prepared : waiting_) {
      variants.push_back(ToTrain(spec_, variants_[prepared.place].name, prepared));
    }
    TrainManyOptions options;
    options.memory = spec_.memory;
    options.on_done = [&](size_t i, const TrainResult& trained) {
      Conclude(spec_, trained, waiting_[i]);
      Keep(waiting_[i].place, waiting_[i].result);
    };
    TrainMany(data_, variants, options);
    waiting_.clear();
  }

  Selection Select() const { return SelectColumns(spec_, variants_, results_, file_.columns()); }

 private:
  // Their rows and labels are in memory at the same time: enough to keep all cores at work.
  static constexpr size_t kVariantsAtOnce = 128;

  fs::path PathOf(const std::string& name) const { return folder_ / "variants" / (name + ".json"); }

  void Keep(size_t place, const VariantResult& result) {
    Json json = result.ToJson(file_);
    json["key"] = keys_[place];
    json["variant"] = variants_[place].name;
    WriteFileAtomic(PathOf(variants_[place].name), json.dump(1) + "\n");
    Finish(place, result, false);
  }

  void Finish(size_t place, const VariantResult& result, bool was_there) {
    if (on_done_) on_done_(place, variants_[place], result, was_there);
    results_[place] = result;
  }

  const ScreenSpec& spec_;
  const BinFile& file_;
  const BinnedData data_;
  const fs::path folder_;
  const ScreenDone& on_done_;
  const std::string common_;
  std::map<std::string, uint32_t> column_of_;
  std::vector<ScreenVariant> variants_;  // names and groups alone
  std::vector<std::string> keys_;
  std::vector<VariantResult> results_;
  std::vector<Prepared> waiting_;
};

}  // namespace

Selection Screen(const ScreenSpec& spec, const std::shared_ptr<const BinFile>& file, size_t count,
                 const std::function<ScreenVariant(size_t)>& make, const fs::path& folder,
                 const ScreenDone& on_done) {
  spec.Check();
  Screening screening(spec, file, folder, on_done);
  for (size_t i = 0; i < count; ++i) {
    CheckCancel();
    screening.Add(make(i));
  }
  screening.TrainWaiting();
  const Selection selection = screening.Select();
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
