#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "almanac/base/error.h"
#include "almanac/base/text.h"
#include "almanac/gbdt/file_job.h"
#include "almanac/gbdt/parameter_table.h"
#include "almanac/gbdt/setting.h"

namespace almanac::gbdt {
namespace {

// Settings of LightGBM's command line that model files do not list, by name and alias.
constexpr Alias kJobNames[] = {{"config", "config"},
                               {"config_file", "config"},
                               {"task", "task"},
                               {"task_type", "task"},
                               {"input_model", "input_model"},
                               {"model_input", "input_model"},
                               {"model_in", "input_model"},
                               {"output_model", "output_model"},
                               {"model_output", "output_model"},
                               {"model_out", "output_model"},
                               {"output_result", "output_result"},
                               {"predict_result", "output_result"},
                               {"prediction_result", "output_result"},
                               {"predict_name", "output_result"},
                               {"prediction_name", "output_result"},
                               {"pred_name", "output_result"},
                               {"name_pred", "output_result"},
                               {"snapshot_freq", "snapshot_freq"},
                               {"save_period", "snapshot_freq"},
                               {"metric_freq", "metric_freq"},
                               {"output_freq", "metric_freq"},
                               {"is_provide_training_metric", "is_provide_training_metric"},
                               {"training_metric", "is_provide_training_metric"},
                               {"is_training_metric", "is_provide_training_metric"},
                               {"train_metric", "is_provide_training_metric"},
                               {"predict_raw_score", "predict_raw_score"},
                               {"is_predict_raw_score", "predict_raw_score"},
                               {"predict_rawscore", "predict_raw_score"},
                               {"raw_score", "predict_raw_score"},
                               {"predict_leaf_index", "predict_leaf_index"},
                               {"is_predict_leaf_index", "predict_leaf_index"},
                               {"leaf_index", "predict_leaf_index"},
                               {"predict_contrib", "predict_contrib"},
                               {"is_predict_contrib", "predict_contrib"},
                               {"contrib", "predict_contrib"},
                               {"save_binary", "save_binary"},
                               {"is_save_binary", "save_binary"},
                               {"is_save_binary_file", "save_binary"},
                               {"start_iteration_predict", "start_iteration_predict"},
                               {"num_iteration_predict", "num_iteration_predict"},
                               {"predict_disable_shape_check", "predict_disable_shape_check"},
                               {"pred_early_stop", "pred_early_stop"},
                               {"convert_model_language", "convert_model_language"}};

// Parameters that say where the data is: the job's business.
constexpr std::string_view kFileParameters[] = {"data",
                                                "valid",
                                                "header",
                                                "label_column",
                                                "weight_column",
                                                "ignore_column",
                                                "categorical_feature",
                                                "num_threads"};

std::string JobName(const std::string& word) {
  for (const Alias& alias : kJobNames) {
    if (alias.alias == word) return std::string(alias.name);
  }
  const std::string_view name = CanonicalParameter(word);
  const bool is_file = std::find(std::begin(kFileParameters), std::end(kFileParameters), name) !=
                       std::end(kFileParameters);
  return is_file ? std::string(name) : "";
}

// The name under which a word is known at all; unknown words stay as they are.
std::string AnyName(const std::string& word) {
  std::string name = JobName(word);
  if (name.empty()) name = std::string(CanonicalParameter(word));
  return name.empty() ? word : name;
}

Settings Merge(const Settings& config, const Settings& given) {
  Settings merged = given;
  for (const auto& setting : config) {
    const bool is_given = std::any_of(given.begin(), given.end(), [&](const auto& other) {
      return AnyName(other.first) == AnyName(setting.first);
    });
    if (!is_given) merged.push_back(setting);
  }
  return merged;
}

class JobReader {
 public:
  JobReader(std::map<std::string, std::string> values, std::string where)
      : values_(std::move(values)), where_(std::move(where)) {}

  std::string Text(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? "" : found->second;
  }
  bool Switch(const std::string& name) const {
    const std::string text = Text(name);
    return !text.empty() && Of(name, text).Switch();
  }
  int Number(const std::string& name, int otherwise) const {
    const std::string text = Text(name);
    return text.empty() ? otherwise : Of(name, text).Whole({-1, kMostRounds});
  }
  void RefuseUnlessAt(const std::string& name,
                      std::initializer_list<std::string_view> allowed) const {
    const std::string text = ToLower(Text(name));
    if (text.empty() || std::find(allowed.begin(), allowed.end(), text) != allowed.end()) return;
    Fail(name, fmt::format("{} = {} is not implemented", name, text), "leave it out");
  }
  [[noreturn]] void Fail(const std::string& name, const std::string& what,
                         const std::string& remedy) const {
    Of(name, {}).Fail(what, remedy);
  }

 private:
  static constexpr double kMostRounds = 1e9;

  Setting Of(const std::string& name, std::string_view text) const {
    return {fmt::format("{}: {}", where_, name), name, text};
  }

  std::map<std::string, std::string> values_;
  std::string where_;
};

}  // namespace

JobSettings JobSettings::Read(const Settings& config, const Settings& given,
                              const std::string& where) {
  JobSettings job;
  std::map<std::string, std::string> values;
  for (const auto& setting : Merge(config, given)) {
    const std::string name = JobName(setting.first);
    if (name.empty()) {
      job.parameters.push_back(setting);
      continue;
    }
    const auto [earlier, is_new] = values.emplace(name, setting.second);
    if (is_new || earlier->second == setting.second) continue;
    throw Error(ErrorCode::kUsage, where,
                fmt::format("{} is given as {} and as {}", name, earlier->second, setting.second),
                "give it once");
  }
  const JobReader reader(std::move(values), where);
  if (!reader.Text("task").empty()) job.task = ToLower(reader.Text("task"));
  if (job.task == "training") job.task = "train";
  if (job.task == "prediction" || job.task == "test") job.task = "predict";
  if (job.task != "train" && job.task != "predict") {
    reader.Fail("task", fmt::format("\"{}\" is not implemented", job.task),
                "it can be train or predict");
  }
  job.data = reader.Text("data");
  job.input_model = reader.Text("input_model");
  job.output_model = reader.Text("output_model");
  job.output_result = reader.Text("output_result");
  const std::string valid = reader.Text("valid");
  for (const std::string_view file : almanac::Split(valid, ',')) {
    if (!Trim(file).empty()) job.valid.emplace_back(Trim(file));
  }
  if (!reader.Text("header").empty()) {
    job.header = reader.Switch("header") ? Header::kYes : Header::kNo;
  }
  job.roles = {reader.Text("label_column"), reader.Text("weight_column"),
               reader.Text("ignore_column"), reader.Text("categorical_feature")};
  if (job.roles.categorical == "auto") job.roles.categorical.clear();
  job.training_metric = reader.Switch("is_provide_training_metric");
  job.metric_freq = reader.Number("metric_freq", 1);
  job.snapshot_freq = reader.Number("snapshot_freq", 0);
  job.threads = reader.Number("num_threads", 0);
  if (job.metric_freq < 1) reader.Fail("metric_freq", "it is below 1", "give at least 1");
  job.raw = reader.Switch("predict_raw_score");
  job.leaf = reader.Switch("predict_leaf_index");
  job.shap = reader.Switch("predict_contrib");
  reader.RefuseUnlessAt("save_binary", {"false", "0", "-"});
  reader.RefuseUnlessAt("start_iteration_predict", {"0"});
  reader.RefuseUnlessAt("num_iteration_predict", {"-1", "0"});
  reader.RefuseUnlessAt("predict_disable_shape_check", {"false", "0", "-"});
  reader.RefuseUnlessAt("pred_early_stop", {"false", "0", "-"});
  reader.RefuseUnlessAt("convert_model_language", {});
  return job;
}

}  // namespace almanac::gbdt
