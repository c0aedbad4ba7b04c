// Networks on two sets of data with published results: ETTh1 and exchange_rate, all variables, 96
// rows in and 96 ahead, on the parts that the papers of the Informer and Autoformer line use
// (ETTh1: 12, 4 and 4 months of 30 days; exchange_rate: 70, 10 and 20 %), standardised by the
// training rows. Mean squared and absolute errors of the standardised values over every window of
// the test part, trained by the room's own trainer.
//
//   published_bench [SET [MODEL [FOLDER]]]    FOLDER (../shared/data/benchmarks) has ETTh1.csv.zst
//                                             and exchange_rate.csv.zst; "all" is every set or
//                                             model
//
// naive repeats the last values. dlinear is the linear model with trend decomposition of Zeng,
// Chen, Zhang and Xu 2023. lstm and gru_attention forecast all variables and rows from their last
// state, tft all variables of a row from the decoder's step of that row: one model for a set, no
// series told apart by a static input.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/base/places_for_test.h"
#include "almanac/base/text.h"
#include "almanac/dataset/dataset.h"
#include "almanac/neural/layers.h"
#include "almanac/neural/network.h"
#include "almanac/neural/trainer.h"
#include "almanac/neural/window_source.h"
#include "almanac/source/csv.h"
#include "almanac/source/input_file.h"

namespace almanac::neural {
namespace {

constexpr int64_t kSteps = 96, kHorizons = 96;

// Rows [0, training) are learnt from, [training, validation) judged on, [validation, test) tested.
struct Set {
  std::string name;
  TimeMs begin = 0;
  DurationMs spacing = 0;
  size_t training = 0, validation = 0, test = 0;
  int64_t known = kKnownInputs;  // of the known inputs, the first so many
  std::vector<std::string> variables;
  std::vector<std::vector<double>> values;  // by variable
};

std::string ReadAll(const std::filesystem::path& path) {
  InputFile file(path);
  std::string text;
  char block[1 << 16];
  while (const size_t read = file.Read(block, sizeof(block))) text.append(block, read);
  return text;
}

void ReadValues(const std::filesystem::path& path, Set& set) {
  const std::string text = ReadAll(path);
  std::string_view rest = text;
  FieldSplitter fields(',');
  fields.Split(TakeLine(rest));
  for (size_t f = 1; f < fields.fields().size(); ++f)
    set.variables.emplace_back(fields.fields()[f]);
  set.values.resize(set.variables.size());
  while (!rest.empty()) {
    const std::string_view line = TakeLine(rest);
    if (line.empty()) continue;
    fields.Split(line);
    for (size_t v = 0; v < set.values.size(); ++v) {
      const auto value = v + 1 < fields.fields().size() ? ParseDouble(fields.fields()[v + 1])
                                                        : std::optional<double>();
      if (!value) throw Error(ErrorCode::kBadData, path.string(), ShownText(line));
      set.values[v].push_back(*value);
    }
  }
}

void Standardise(Set& set) {
  for (std::vector<double>& values : set.values) {
    double mean = 0, squares = 0;
    for (size_t i = 0; i < set.training; ++i) mean += values[i];
    mean /= static_cast<double>(set.training);
    for (size_t i = 0; i < set.training; ++i) squares += (values[i] - mean) * (values[i] - mean);
    const double deviation = std::sqrt(squares / static_cast<double>(set.training));
    for (double& value : values) value = (value - mean) / deviation;
  }
}

Set LoadSet(const std::filesystem::path& folder, const std::string& name) {
  Set set;
  set.name = name;
  ReadValues(folder / (name + ".csv.zst"), set);
  const size_t rows = set.values.front().size();
  if (name == "ETTh1") {
    constexpr size_t kMonth = 30 * 24;
    set.begin = 1467331200000;  // 2016-07-01
    set.spacing = kMsPerHour;
    set.training = 12 * kMonth;
    set.validation = 16 * kMonth;
    set.test = 20 * kMonth;
    set.known = 4;  // the day's and the week's
  } else {
    set.begin = 631152000000;  // 1990-01-01
    set.spacing = kMsPerDay;
    set.training = rows * 7 / 10;
    set.validation = rows - rows / 5;
    set.test = rows;
  }
  Standardise(set);
  return set;
}

// All variables as features; their next kHorizons rows as the target: row by row, and within a row
// variable by variable.
Dataset MakeData(const Set& set) {
  FeatureTable table;
  Labels labels;
  labels.name = "next";
  labels.unit = "standard deviations";
  labels.steps = static_cast<size_t>(kHorizons) * set.variables.size();
  const size_t rows = set.values.front().size();
  for (size_t i = 0; i < rows; ++i) {
    table.index.push_back(set.begin + static_cast<DurationMs>(i + 1) * set.spacing);
  }
  for (size_t v = 0; v < set.variables.size(); ++v) {
    table.names.push_back({set.variables[v], ""});
    table.columns.emplace_back(set.values[v].begin(), set.values[v].end());
  }
  for (size_t i = 0; i + kHorizons < rows; ++i) {
    labels.t0.push_back(table.index[i]);
    labels.t1.push_back(table.index[i + kHorizons]);
    for (size_t h = 1; h <= kHorizons; ++h) {
      for (const std::vector<double>& values : set.values) labels.path.push_back(values[i + h]);
    }
    labels.value.push_back(labels.path.back());
  }
  return Dataset::Join(set.name, std::move(table), labels);
}

// The last rows of the windows whose target lies in [begin, end). The windows themselves may begin
// before, as the papers' do, but not before the first row.
std::vector<uint32_t> RowsOf(size_t begin, size_t end) {
  std::vector<uint32_t> rows;
  const size_t first = std::max<size_t>(begin, kSteps) - 1;
  for (size_t row = first; row + kHorizons < end; ++row) {
    rows.push_back(static_cast<uint32_t>(row));
  }
  return rows;
}

StandardScaler NoScaler(const Set& set) {
  Json columns = Json::array();
  for (const std::string& name : set.variables) {
    columns.push_back({{"name", name}, {"mean", 0.0}, {"scale", 1.0}});
  }
  return StandardScaler::FromJson(
      {{"kind", "standard"}, {"rows", set.training}, {"dropped", 0}, {"columns", columns}});
}

// Two linear layers over time, shared by the variables: of the moving average of 25 rows (the first
// and the last row repeated beyond the ends), and of what it leaves.
class DLinear final : public Network {
 public:
  DLinear()
      : trend_(parameters_, "trend", kSteps, kHorizons),
        rest_(parameters_, "rest", kSteps, kHorizons) {}

  at::Tensor Forward(const NetworkInput& input, bool /*training*/) override {
    constexpr int64_t kWidth = 25;
    const at::Tensor x = input.windows.transpose(1, 2);  // (B, variables, T)
    const at::Tensor trend =
        at::avg_pool1d(at::replication_pad1d(x, {kWidth / 2, kWidth / 2}), kWidth, /*stride=*/1);
    const at::Tensor ahead = trend_(trend) + rest_(x - trend);  // (B, variables, H)
    return ahead.transpose(1, 2).flatten(1).unsqueeze(-1);
  }

 private:
  Linear trend_, rest_;
};

// A row ahead is a step of the transformer's decoder, with an output a variable. Of the known
// inputs it is told the first so many: ETTh1's one year to learn from shows no place in the year
// twice.
class JointTft final : public Network {
 public:
  JointTft(const NetworkOptions& options, int64_t variables, int64_t known)
      : tft_(MakeNetwork(options, {kSteps, variables, kHorizons, variables, known, /*groups=*/1})),
        known_(known) {
    parameters_ = tft_->parameters();
  }

  at::Tensor Forward(const NetworkInput& input, bool training) override {
    // The source has a row of known inputs for each target; the rows ahead are the first of them.
    NetworkInput own = input;
    own.known = input.known.narrow(1, 0, kSteps + kHorizons).narrow(2, 0, known_);
    return tft_->Forward(own, training).flatten(1).unsqueeze(-1);
  }

 private:
  std::unique_ptr<Network> tft_;
  int64_t known_;
};

struct Model {
  std::string name;
  NetworkOptions options;
};

NetworkOptions Options(Architecture architecture, int64_t hidden, int64_t layers) {
  NetworkOptions options = NetworkOptions::Defaults(architecture);
  options.steps = kSteps;
  options.hidden = hidden;
  options.layers = layers;
  options.dense = {};
  options.dropout = 0.1;
  options.quantiles = {};
  options.loss = Loss::kMse;
  options.training.epochs = 10;
  options.training.patience = 3;
  options.training.batch_size = 32;
  options.training.plateau_patience = 1;
  return options;
}

std::vector<Model> Models() {
  Model dlinear{"dlinear", Options(Architecture::kDnn, 1, 1)};
  dlinear.options.training.learning_rate = 0.005;
  Model tft{"tft", Options(Architecture::kTft, 16, 1)};
  tft.options.training.batch_size = 64;
  tft.options.training.learning_rate = 0.001;
  return {dlinear,
          {"lstm", Options(Architecture::kLstm, 64, 1)},
          {"gru_attention", Options(Architecture::kGruAttention, 64, 1)},
          tft};
}

std::unique_ptr<Network> NetworkOf(const Model& model, const Set& set) {
  const auto variables = static_cast<int64_t>(set.variables.size());
  if (model.name == "dlinear") return std::make_unique<DLinear>();
  if (model.name == "tft") return std::make_unique<JointTft>(model.options, variables, set.known);
  return MakeNetwork(model.options, {kSteps, variables, kHorizons * variables, 1, 0, 1});
}

struct Errors {
  double squares = 0, absolute = 0;
  size_t count = 0;
  void Add(double error) {
    squares += error * error;
    absolute += std::fabs(error);
    ++count;
  }
};

void PrintRow(const Set& set, const std::string& model, const Errors& errors,
              const std::string& how) {
  const auto count = static_cast<double>(errors.count);
  fmt::print("{:<14}{:<15}{:>8.3f}{:>8.3f}  {}\n", set.name, model, errors.squares / count,
             errors.absolute / count, how);
  std::fflush(stdout);
}

void JudgeNaive(const Set& set) {
  Errors errors;
  const std::vector<uint32_t> rows = RowsOf(set.validation, set.test);
  for (const uint32_t row : rows) {
    for (const std::vector<double>& values : set.values) {
      for (size_t h = 1; h <= kHorizons; ++h) errors.Add(values[row + h] - values[row]);
    }
  }
  PrintRow(set, "naive", errors, fmt::format("{} test windows", rows.size()));
}

void JudgeNetwork(const Set& set, const Model& model) {
  const Dataset data = MakeData(set);
  const size_t outputs = static_cast<size_t>(kHorizons) * set.variables.size();
  const Dataset* const part = &data;
  const RowCalendar calendar = RowCalendar::Of({&part, 1});
  const StandardScaler scaler = NoScaler(set);
  const bool with_known = model.options.architecture == Architecture::kTft;
  const auto source = [&](size_t begin, size_t end) {
    return WindowSource({{&data, RowsOf(begin, end), 0}},
                        {kSteps, false, true, with_known, outputs}, calendar, scaler, {});
  };
  const WindowSource learn = source(0, set.training);
  const WindowSource judge = source(set.training, set.validation);
  const WindowSource test = source(set.validation, set.test);
  at::manual_seed(1);
  const std::unique_ptr<Network> network = NetworkOf(model, set);
  const TrainingPlan plan{
      model.options, {}, false, learn,
      judge,         {}, "",    [](std::string_view line) {
                            fmt::print(stderr, "  {}\n", line); }};
  const TrainingResult result = TrainNetwork(plan, *network);
  const at::Tensor answers = Answer(*network, test, at::kCPU).squeeze(-1).contiguous();
  Errors errors;
  const float* answer = answers.data_ptr<float>();
  for (size_t w = 0; w < test.size(); ++w) {
    for (size_t h = 0; h < outputs; ++h) {
      errors.Add(test.Target(w, h) - static_cast<double>(*answer++));
    }
  }
  PrintRow(set, model.name, errors,
           fmt::format("{} parameters, {} windows, best of {} epochs: {}, {:.0f} s",
                       network->parameters().Count(), learn.size(), result.epochs.size(),
                       result.best_epoch, result.seconds));
}

void Main(const std::string& only_set, const std::string& only_model,
          const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder)) {
    fmt::print("skipped: there is no folder {}\n", folder.string());
    return;
  }
  SetThreadCount(1);
  fmt::print("{:<14}{:<15}{:>8}{:>8}\n", "set", "model", "MSE", "MAE");
  for (const char* name : {"ETTh1", "exchange_rate"}) {
    if (only_set != "all" && only_set != name) continue;
    const Set set = LoadSet(folder, name);
    if (only_model == "all" || only_model == "naive") JudgeNaive(set);
    for (const Model& model : Models()) {
      if (only_model == "all" || only_model == model.name) JudgeNetwork(set, model);
    }
  }
}

}  // namespace
}  // namespace almanac::neural

int main(int argc, char** argv) {
  try {
    almanac::neural::Main(argc > 1 ? argv[1] : "all", argc > 2 ? argv[2] : "all",
                          argc > 3 ? std::filesystem::path(argv[3])
                                   : almanac::SourceFolder() / "../shared/data/benchmarks");
  } catch (const almanac::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
