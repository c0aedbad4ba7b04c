#include "almanac/gbdt/params.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "almanac/base/config.h"
#include "almanac/base/error.h"
#include "almanac/base/text.h"
#include "almanac/dataset/lcg.h"
#include "almanac/gbdt/parameter_table.h"
#include "almanac/gbdt/setting.h"

namespace almanac::gbdt {
namespace {

// Seeds are drawn from 15 bits, the largest left out.
constexpr uint32_t kSeedRange = 32767;

using Names = std::vector<std::pair<std::string_view, std::string_view>>;

const Names& ObjectiveNames() {
  static const Names kNames = {{"regression", "regression"},
                               {"regression_l2", "regression"},
                               {"mean_squared_error", "regression"},
                               {"mse", "regression"},
                               {"l2", "regression"},
                               {"l2_root", "regression"},
                               {"root_mean_squared_error", "regression"},
                               {"rmse", "regression"},
                               {"regression_l1", "regression_l1"},
                               {"mean_absolute_error", "regression_l1"},
                               {"l1", "regression_l1"},
                               {"mae", "regression_l1"},
                               {"huber", "huber"},
                               {"quantile", "quantile"},
                               {"binary", "binary"},
                               {"multiclass", "multiclass"},
                               {"softmax", "multiclass"},
                               {"custom", "custom"},
                               {"none", "custom"},
                               {"null", "custom"},
                               {"na", "custom"}};
  return kNames;
}

const Names& MetricNames() {
  static const Names kNames = {{"l2", "l2"},
                               {"regression", "l2"},
                               {"regression_l2", "l2"},
                               {"mean_squared_error", "l2"},
                               {"mse", "l2"},
                               {"rmse", "rmse"},
                               {"l2_root", "rmse"},
                               {"root_mean_squared_error", "rmse"},
                               {"l1", "l1"},
                               {"regression_l1", "l1"},
                               {"mean_absolute_error", "l1"},
                               {"mae", "l1"},
                               {"huber", "huber"},
                               {"quantile", "quantile"},
                               {"binary_logloss", "binary_logloss"},
                               {"binary", "binary_logloss"},
                               {"binary_error", "binary_error"},
                               {"auc", "auc"},
                               {"average_precision", "average_precision"},
                               {"multi_logloss", "multi_logloss"},
                               {"multiclass", "multi_logloss"},
                               {"softmax", "multi_logloss"},
                               {"multi_error", "multi_error"}};
  return kNames;
}

const Parameter* FindParameter(std::string_view name) {
  for (const Parameter& parameter : ParameterTable()) {
    if (parameter.name == name) return &parameter;
  }
  return nullptr;
}

std::vector<std::string> WordsOf(const Setting& setting) {
  std::vector<std::string> words;
  for (const std::string_view part : almanac::Split(setting.text, ',')) {
    const std::string_view word = Trim(part);
    if (!word.empty()) words.emplace_back(word);
  }
  return words;
}

std::vector<int> ColumnsOf(const Setting& setting) {
  std::vector<int> columns;
  if (setting.text == "auto") return columns;  // Python's default: as the data frame says
  for (const std::string& word : WordsOf(setting)) {
    const std::optional<int64_t> column = ParseInt64(word);
    if (!column || *column < 0 || *column > std::numeric_limits<int>::max()) {
      setting.Fail(fmt::format("\"{}\" is not a column number", word),
                   "list columns by number, counted from 0");
    }
    columns.push_back(static_cast<int>(*column));
  }
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  return columns;
}

std::vector<int8_t> TrendsOf(const Setting& setting) {
  std::vector<int8_t> trends;
  std::string_view text = Trim(setting.text);
  // Python writes lists with brackets.
  if (text.starts_with('(') || text.starts_with('[')) text.remove_prefix(1);
  if (text.ends_with(')') || text.ends_with(']')) text.remove_suffix(1);
  for (const std::string& word : WordsOf({setting.place, setting.name, text})) {
    const std::optional<int64_t> trend = ParseInt64(word);
    if (!trend || *trend < -1 || *trend > 1) {
      setting.Fail(fmt::format("\"{}\" is no constraint", word),
                   "give each column 1 (rising), -1 (falling) or 0");
    }
    trends.push_back(static_cast<int8_t>(*trend));
  }
  return trends;
}

bool IsSameValue(std::string_view text, std::string_view other) {
  const auto plain = [](std::string_view word) {
    const std::string lower = ToLower(word);
    return lower == "true" ? "1" : lower == "false" ? "0" : lower;
  };
  const std::optional<double> a = ParseDouble(plain(text)), b = ParseDouble(plain(other));
  return a && b ? *a == *b : plain(text) == plain(other);
}

void RefuseOtherThan(const Setting& setting, std::string_view only_value) {
  if (IsSameValue(setting.text, only_value)) return;
  setting.Fail(fmt::format("{} = {} is not implemented", setting.name, setting.text),
               only_value.empty() ? "leave it out" : fmt::format("leave it at {}", only_value));
}

// Sets the field that belongs to a setting.
struct Store {
  Params& params;
  const Setting& setting;
  const Parameter& parameter;

  void operator()(const NotImplemented& field) const { RefuseOtherThan(setting, field.only_value); }
  void operator()(bool Params::*field) const { params.*field = setting.Switch(); }
  void operator()(int Params::*field) const { params.*field = setting.Whole(parameter.range()); }
  void operator()(double Params::*field) const {
    params.*field = setting.Number(parameter.range());
  }
  void operator()(std::string Params::*field) const { params.*field = ToLower(setting.text); }
  void operator()(std::vector<int> Params::*field) const { params.*field = ColumnsOf(setting); }
  void operator()(std::vector<int8_t> Params::*field) const { params.*field = TrendsOf(setting); }
  void operator()(std::vector<std::string> Params::*field) const {
    params.*field = WordsOf(setting);
  }
};

// A value as LightGBM prints it in a model file.
struct Show {
  const Params& params;

  std::string operator()(const NotImplemented& field) const {
    return std::string(field.only_value);
  }
  std::string operator()(bool Params::*field) const { return params.*field ? "1" : "0"; }
  std::string operator()(int Params::*field) const { return std::to_string(params.*field); }
  std::string operator()(double Params::*field) const { return fmt::format("{:g}", params.*field); }
  std::string operator()(std::string Params::*field) const { return params.*field; }
  std::string operator()(std::vector<int> Params::*field) const {
    return fmt::format("{}", fmt::join(params.*field, ","));
  }
  std::string operator()(std::vector<int8_t> Params::*field) const {
    const std::vector<int> trends((params.*field).begin(), (params.*field).end());
    return fmt::format("{}", fmt::join(trends, ","));
  }
  std::string operator()(std::vector<std::string> Params::*field) const {
    return Join(params.*field, ",");
  }
};

[[noreturn]] void RefuseUnknown(std::string_view word, std::string_view where) {
  std::vector<std::string> known;
  for (const Parameter& parameter : ParameterTable()) known.emplace_back(parameter.name);
  for (const Alias& alias : AliasTable()) known.emplace_back(alias.alias);
  const std::optional<std::string> near = NearestWord(word, known);
  throw Error(ErrorCode::kUsage, std::string(where),
              fmt::format("there is no parameter \"{}\"", word),
              near ? fmt::format("did you mean {}?", *near) : "docs/gbdt.md lists the parameters");
}

std::string NameBehind(const std::string& word, const Names& names, const Setting& setting) {
  std::vector<std::string> known, all;
  for (const auto& [alias, name] : names) {
    if (alias == word) return std::string(name);
    if (alias == name) known.emplace_back(name);
    all.emplace_back(alias);
  }
  const std::optional<std::string> near = NearestWord(word, all);
  setting.Fail(fmt::format("{} \"{}\" is unknown or not implemented", setting.name, word),
               near ? fmt::format("did you mean {}?", *near)
                    : fmt::format("there are {}", fmt::join(known, ", ")));
}

void ResolveNames(Params& params, std::string_view where) {
  const auto setting = [&](std::string_view name) {
    return Setting{fmt::format("{}: {}", where, name), name, {}};
  };
  params.boosting = NameBehind(
      params.boosting, {{"gbdt", "gbdt"}, {"gbrt", "gbdt"}, {"dart", "dart"}, {"goss", "goss"}},
      setting("boosting"));
  params.data_sample_strategy =
      NameBehind(params.data_sample_strategy, {{"bagging", "bagging"}, {"goss", "goss"}},
                 setting("data_sample_strategy"));
  if (params.boosting == "goss") {  // as it was called before LightGBM 4
    params.boosting = "gbdt";
    params.data_sample_strategy = "goss";
  }
  params.objective = NameBehind(params.objective, ObjectiveNames(), setting("objective"));
  if (params.metric.empty()) params.metric = {params.objective};
  std::vector<std::string> metrics;
  for (const std::string& word : params.metric) {
    if (word == "custom" || ToLower(word) == "none") continue;  // no metric of ours
    const std::string metric = NameBehind(ToLower(word), MetricNames(), setting("metric"));
    if (std::find(metrics.begin(), metrics.end(), metric) == metrics.end()) {
      metrics.push_back(metric);
    }
  }
  params.metric = std::move(metrics);
}

enum class Task { kBinary, kMulticlass, kRegression };

Task TaskOf(std::string_view objective_or_metric) {
  if (objective_or_metric.starts_with("multi")) return Task::kMulticlass;
  const bool is_binary = objective_or_metric.starts_with("binary") ||
                         objective_or_metric == "auc" || objective_or_metric == "average_precision";
  return is_binary ? Task::kBinary : Task::kRegression;
}

bool HasClasses(const Params& params) {
  return params.objective == "binary" || params.objective == "multiclass";
}

void RefuseContradictions(const Params& params, std::string_view where) {
  const auto refuse = [&](const std::string& what, const std::string& remedy) {
    throw Error(ErrorCode::kUsage, std::string(where), what, remedy);
  };
  const bool is_multiclass = params.objective == "multiclass";
  if (is_multiclass && params.num_class < 2) {
    refuse("objective multiclass with num_class = 1", "give num_class, at least 2");
  }
  if (!is_multiclass && params.objective != "custom" && params.num_class != 1) {
    refuse(fmt::format("num_class = {} with objective {}", params.num_class, params.objective),
           "leave num_class out, or take objective = multiclass");
  }
  for (const std::string& metric : params.metric) {
    const bool is_rank = metric == "auc" || metric == "average_precision";
    const bool judges_scores =  // as they are, of any objective's one class
        params.objective == "custom" && params.num_class == 1 &&
        (is_rank || TaskOf(metric) == Task::kRegression);
    if (judges_scores ||
        (params.objective != "custom" && TaskOf(metric) == TaskOf(params.objective))) {
      continue;
    }
    refuse(fmt::format("metric {} does not judge objective {}", metric, params.objective),
           "leave metric out for the objective's own");
  }
  const bool weighs_positives = params.is_unbalance || params.scale_pos_weight != 1;
  if (weighs_positives && params.objective != "binary") {
    refuse(fmt::format("is_unbalance and scale_pos_weight do nothing with objective {}",
                       params.objective),
           "take class_weight for multiclass, or leave them out");
  }
  if (!params.class_weight.empty() && (weighs_positives || !HasClasses(params))) {
    refuse("class_weight with " + (weighs_positives ? "is_unbalance or scale_pos_weight"
                                                    : "objective " + params.objective),
           weighs_positives ? "give one of them" : "take objective binary or multiclass");
  }
  if (params.is_unbalance && params.scale_pos_weight != 1) {
    refuse("is_unbalance and scale_pos_weight both weigh the classes", "give one of them");
  }
  if (params.force_col_wise && params.force_row_wise) {
    refuse("force_col_wise and force_row_wise exclude each other", "give at most one of them");
  }
  if (params.use_quantized_grad && params.stochastic_rounding) {
    refuse(
        "use_quantized_grad with stochastic_rounding, which depends on LightGBM's threads, is "
        "not implemented",
        "give stochastic_rounding = false");
  }
  const bool is_goss = params.data_sample_strategy == "goss";
  if (is_goss && params.bagging_freq > 0 && params.bagging_fraction < 1) {
    refuse("goss and bagging both choose rows", "leave bagging_fraction or goss out");
  }
  if (is_goss &&
      !(params.top_rate > 0 && params.other_rate > 0 && params.top_rate + params.other_rate <= 1)) {
    refuse(fmt::format("top_rate = {} with other_rate = {}", params.top_rate, params.other_rate),
           "give two rates above 0 that add up to at most 1");
  }
  if (params.boosting == "dart" && params.early_stopping_round > 0) {
    refuse("early_stopping_round with boosting dart, whose later rounds change earlier ones",
           "leave one of them out");
  }
  if (params.boosting == "dart" && params.max_drop == 0) {
    refuse("max_drop = 0, which LightGBM reads as 1", "give -1 for no limit, or drop_rate = 0");
  }
  const bool samples_rows = is_goss || (params.bagging_freq > 0 && params.bagging_fraction < 1);
  if (params.use_quantized_grad && (samples_rows || !params.categorical_feature.empty())) {
    refuse("use_quantized_grad with bagging, goss or categorical features is not implemented",
           "leave one of them out");
  }
  if (params.objective == "quantile" && params.alpha >= 1) {
    refuse(fmt::format("alpha = {} is no quantile", params.alpha), "give alpha below 1");
  }
}

void RefuseWrongTrends(const Params& params, std::string_view where) {
  if (params.monotone_constraints.empty()) return;
  const auto refuse = [&](const std::string& what, const std::string& remedy) {
    throw Error(ErrorCode::kUsage, std::string(where), what, remedy);
  };
  if (params.objective == "regression_l1" || params.objective == "quantile") {
    refuse(fmt::format("monotone_constraints with objective {}, whose leaf values are quantiles",
                       params.objective),
           "take another objective, or leave the constraints out");
  }
  for (const int column : params.categorical_feature) {
    const auto place = static_cast<size_t>(column);
    if (place >= params.monotone_constraints.size() || params.TrendOf(place) == 0) continue;
    refuse(fmt::format("monotone_constraints for column {}, which is categorical", column),
           "give it 0: categories have no order");
  }
  if (params.max_depth > 0 && params.monotone_penalty >= params.max_depth) {
    refuse(fmt::format("monotone_penalty = {} forbids all splits along constrained columns up to "
                       "max_depth = {}",
                       params.monotone_penalty, params.max_depth),
           "give a penalty below max_depth");
  }
}

void DrawSeeds(Params& params) {
  Lcg random(static_cast<uint32_t>(params.seed));
  for (int Params::*field :
       {&Params::data_random_seed, &Params::bagging_seed, &Params::drop_seed,
        &Params::feature_fraction_seed, &Params::objective_seed, &Params::extra_seed}) {
    params.*field = static_cast<int>(random.Draw16() % kSeedRange);
  }
}

// What LightGBM changes by itself, with a warning.
void Adjust(Params& params, bool has_num_leaves) {
  if (params.max_depth > 0 && params.max_depth < 31 && !has_num_leaves) {
    params.num_leaves =
        static_cast<int>(std::min<int64_t>(params.num_leaves, int64_t{1} << params.max_depth));
  }
  if (params.path_smooth > 0 && params.min_data_in_leaf < 2) params.min_data_in_leaf = 2;
  if (params.min_data_in_leaf == 0 && params.min_sum_hessian_in_leaf == 0) {
    params.min_data_in_leaf = 1;
  }
}

}  // namespace

std::string_view CanonicalParameter(std::string_view word) {
  if (const Parameter* parameter = FindParameter(word)) return parameter->name;
  for (const Alias& alias : AliasTable()) {
    if (alias.alias == word) return alias.name;
  }
  return {};
}

Params Params::Parse(const Settings& settings, std::string_view where) {
  std::map<std::string_view, const std::pair<std::string, std::string>*> given;
  for (const auto& setting : settings) {
    const std::string_view name = CanonicalParameter(setting.first);
    if (name.empty()) RefuseUnknown(setting.first, where);
    const auto [earlier, is_new] = given.emplace(name, &setting);
    if (!is_new && earlier->second->second != setting.second) {
      throw Error(ErrorCode::kUsage, std::string(where),
                  fmt::format("{} = {} and {} = {} set the same parameter", earlier->second->first,
                              earlier->second->second, setting.first, setting.second),
                  fmt::format("give {} once", name));
    }
  }
  Params params;
  const auto store = [&](std::string_view name, const std::string& text) {
    const Parameter& parameter = *FindParameter(name);
    const Setting setting{fmt::format("{}: {}", where, name), name, text};
    std::visit(Store{params, setting, parameter}, parameter.field);
  };
  if (const auto seed = given.find("seed"); seed != given.end()) {
    store("seed", seed->second->second);
    DrawSeeds(params);
  }
  for (const auto& [name, setting] : given) store(name, setting->second);
  ResolveNames(params, where);
  RefuseContradictions(params, where);
  RefuseWrongTrends(params, where);
  Adjust(params, given.contains("num_leaves"));
  return params;
}

std::string Params::ToModelText() const {
  std::string text;
  for (const Parameter& parameter : ParameterTable()) {
    if (!parameter.is_listed) continue;
    text += fmt::format("[{}: {}]\n", parameter.name, std::visit(Show{*this}, parameter.field));
  }
  return text;
}

}  // namespace almanac::gbdt
