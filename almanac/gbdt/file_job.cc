#include "almanac/gbdt/file_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>
#include <list>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/parallel.h"
#include "almanac/gbdt/predictor.h"
#include "almanac/gbdt/shap.h"

namespace almanac::gbdt {
namespace fs = std::filesystem;
namespace {

// Rows whose predictions become text in one task.
constexpr size_t kRowsPerTask = 256;

class Stopwatch {
 public:
  // Since it was made or last asked.
  double Lap() {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double> passed = now - last_;
    last_ = now;
    return passed.count();
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

std::vector<float> Floats(const std::vector<double>& values) {
  std::vector<float> floats(values.size());
  std::transform(values.begin(), values.end(), floats.begin(),
                 [](double value) { return static_cast<float>(value); });
  return floats;
}

// A file of rows to learn from or to be judged on.
struct Rows {
  NumberTable table;
  ColumnRoles roles;
  std::vector<float> label, weight;
  std::vector<double> initial_score;

  ColumnSource Source() const { return table.Source(roles.features); }
  Targets targets() const { return {label, weight, initial_score}; }
};

// What LightGBM would read beside a data file: weights we read too, the rest is refused, not
// ignored.
void ReadSideFiles(const fs::path& data, Rows& rows) {
  for (const char* suffix : {".init", ".query", ".group", ".position"}) {
    if (!fs::exists(data.string() + suffix)) continue;
    throw Error(ErrorCode::kUsage, data.string() + suffix,
                "initial scores and ranking groups beside the data are not implemented",
                "move the file away to go on without it");
  }
  const fs::path weights = data.string() + ".weight";
  if (rows.roles.weight || !fs::exists(weights)) return;
  const NumberTable table = LoadNumberTable(weights, Header::kNo);
  if (table.columns.size() != 1 || table.rows != rows.table.rows) {
    throw Error(ErrorCode::kBadData, weights.string(),
                fmt::format("has {} lines of {} numbers for {} rows", table.rows,
                            table.columns.size(), rows.table.rows),
                "give one weight a row");
  }
  rows.weight = Floats(table.columns[0]);
}

void TakeTargets(const fs::path& file, Rows& rows) {
  rows.label = Floats(rows.table.columns[rows.roles.label]);
  if (rows.roles.weight) rows.weight = Floats(rows.table.columns[*rows.roles.weight]);
  ReadSideFiles(file, rows);
}

void RequireFile(const fs::path& file, const char* what, const char* flag) {
  if (!file.empty()) return;
  throw Error(ErrorCode::kUsage, "almanac gbdt", fmt::format("no {} is given", what),
              fmt::format("give {}", flag));
}

// Before the work, so that it is not lost for want of a folder.
void RequireFolderOf(const fs::path& file) {
  const fs::path folder = fs::absolute(file).parent_path();
  if (fs::is_directory(folder) && !fs::is_directory(file)) return;
  throw Error(ErrorCode::kUsage, file.string(), "cannot be written there",
              "name a file in a folder that exists");
}

Params ParamsOf(const JobSettings& settings, const ColumnRoles& roles, bool exact) {
  Params params = Params::Parse(settings.parameters, "almanac gbdt");
  params.exact = exact;
  params.categorical_feature = roles.categorical;
  params.num_threads = std::max(0, settings.threads);
  return params;
}

class TrainJob {
 public:
  TrainJob(const JobSettings& settings, bool exact) : settings_(settings), exact_(exact) {}

  TrainReport Run(const std::function<void(int, const std::vector<Evaluation>&)>& on_round) {
    // Wrong settings are found before the files are read.
    static_cast<void>(ParamsOf(settings_, {}, exact_));
    Stopwatch watch;
    ReadFiles();
    const Params params = ParamsOf(settings_, training_.roles, exact_);
    report_.read_seconds = watch.Lap();
    const BinnedData data = BinnedData::Make(training_.Source(), params);
    std::list<BinnedData> judged;  // validations refer to them
    std::vector<Validation> validations;
    if (settings_.training_metric) {
      validations.push_back({"training", data, training_.targets(), /*can_stop=*/false});
    }
    for (const Rows& rows : validation_) {
      judged.push_back(data.WithSameBins(rows.Source()));
      validations.push_back(
          {fmt::format("valid_{}", judged.size()), judged.back(), rows.targets()});
    }
    report_.bin_seconds = watch.Lap();
    TrainOptions options;
    options.on_round = on_round;
    options.snapshot_every = settings_.snapshot_freq;
    if (settings_.snapshot_freq > 0) {
      options.resume_file = settings_.output_model.string() + ".resume";
      options.on_snapshot = [&](int rounds, const Model& model) {
        Continued(model).Save(
            fmt::format("{}.snapshot_iter_{}", settings_.output_model.string(), rounds));
      };
    }
    TrainResult result = Train(params, data, training_.targets(), validations, options);
    report_.model = Continued(std::move(result.model));
    report_.model.Save(settings_.output_model);
    report_.train_seconds = watch.Lap();
    report_.evaluations = std::move(result.evaluations);
    report_.best_round = result.best_round;
    report_.rows = data.rows();
    report_.columns = training_.roles.features.size();
    report_.used_columns = data.features();
    return std::move(report_);
  }

 private:
  void ReadFiles() {
    training_.table = LoadNumberTable(settings_.data, settings_.header);
    training_.roles = AssignRoles(settings_.roles, training_.table, "almanac gbdt");
    TakeTargets(settings_.data, training_);
    for (const fs::path& file : settings_.valid) {
      Rows& rows = validation_.emplace_back();
      rows.table = LoadNumberTable(file, settings_.header);
      rows.roles = SameRoles(training_.roles, training_.table, rows.table);
      TakeTargets(file, rows);
    }
    if (settings_.input_model.empty()) return;
    base_ = Model::Load(settings_.input_model);
    training_.initial_score = InitialScores(base_, training_.Source());
    for (Rows& rows : validation_) rows.initial_score = InitialScores(base_, rows.Source());
  }

  Model Continued(Model more) const {
    return settings_.input_model.empty() ? more : ContinueModel(base_, std::move(more));
  }

  const JobSettings& settings_;
  bool exact_;
  Rows training_;
  std::list<Rows> validation_;
  Model base_;
  TrainReport report_;
};

// Lines of numbers, made in parallel and written in one go.
void WriteLines(const fs::path& file, size_t rows,
                const std::function<void(size_t row, std::string& line)>& write) {
  std::vector<std::string> blocks((rows + kRowsPerTask - 1) / kRowsPerTask);
  ParallelFor(blocks.size(), [&](size_t block) {
    const size_t end = std::min(rows, (block + 1) * kRowsPerTask);
    for (size_t row = block * kRowsPerTask; row < end; ++row) {
      write(row, blocks[block]);
      blocks[block] += '\n';
    }
  });
  std::string text;
  for (const std::string& block : blocks) text += block;
  WriteFileAtomic(file, text);
}

template <typename Values>
void AppendValues(const Values& values, std::string& line) {
  for (size_t i = 0; i < values.size(); ++i) {
    fmt::format_to(std::back_inserter(line), "{}{:.17g}", i == 0 ? "" : ",",
                   static_cast<double>(values[i]));
  }
}

std::vector<double> RowOf(const NumberTable& table, const std::vector<size_t>& columns,
                          size_t row) {
  std::vector<double> values(columns.size());
  for (size_t c = 0; c < columns.size(); ++c) values[c] = table.columns[columns[c]][row];
  return values;
}

}  // namespace

TrainReport TrainFromFiles(
    const JobSettings& settings, bool exact,
    const std::function<void(int, const std::vector<Evaluation>&)>& on_round) {
  RequireFile(settings.data, "training data", "--data FILE");
  RequireFile(settings.output_model, "place for the model", "--output FILE");
  RequireFolderOf(settings.output_model);
  return TrainJob(settings, exact).Run(on_round);
}

PredictReport PredictFromFiles(const JobSettings& settings) {
  RequireFile(settings.input_model, "model", "--model FILE");
  RequireFile(settings.data, "data to predict", "--data FILE");
  RequireFile(settings.output_result, "place for the predictions", "--output FILE");
  if (settings.raw + settings.leaf + settings.shap > 1) {
    throw Error(ErrorCode::kUsage, "almanac gbdt", "raw, leaf and shap exclude each other",
                "give at most one of them");
  }
  RequireFolderOf(settings.output_result);
  Stopwatch watch;
  const Model model = Model::Load(settings.input_model);
  const Predictor predictor(model);
  const NumberTable table = LoadNumberTable(settings.data, settings.header);
  const std::vector<size_t> columns = MatchFeatures(model.feature_names, table, settings.roles);
  PredictReport report;
  report.rows = table.rows;
  report.read_seconds = watch.Lap();
  if (settings.leaf) {
    report.columns = predictor.trees();
    WriteLines(settings.output_result, table.rows, [&](size_t row, std::string& line) {
      std::vector<int> leaves(predictor.trees());
      predictor.Leaves(RowOf(table, columns, row), leaves);
      AppendValues(leaves, line);
    });
  } else if (settings.shap) {
    report.columns = predictor.classes() * (columns.size() + 1);
    WriteLines(settings.output_result, table.rows, [&](size_t row, std::string& line) {
      AppendValues(ShapValues(model, RowOf(table, columns, row)), line);
    });
  } else {
    report.columns = predictor.classes();
    const std::vector<double> values = predictor.PredictAll(
        table.Source(columns), settings.raw ? Output::kRaw : Output::kTransformed);
    WriteLines(settings.output_result, table.rows, [&](size_t row, std::string& line) {
      AppendValues(std::span(values).subspan(row * report.columns, report.columns), line);
    });
  }
  report.predict_seconds = watch.Lap();
  return report;
}

}  // namespace almanac::gbdt
