// Boosted trees: time to predict one row and many, side by side with LightGBM's C interface.
//
//   gbdt_predict_bench [--lightgbm LIBRARY] [ROUNDS [COLUMNS [LEAVES]]]     default 100 400 30
//
// A model of three classes (depth 5 where it has at most 32 leaves) is trained on random columns
// and predicts rows that it has not seen, in processor time of one thread: what one row costs when
// rows come one at a time, and in a batch. LightGBM loads the model's file; its answers must be the
// same bits. Without its library its half is left out.
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <functional>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "almanac/base/parallel.h"
#include "almanac/base/random.h"
#include "almanac/gbdt/predictor.h"
#include "almanac/gbdt/train.h"

namespace almanac::gbdt {
namespace {

constexpr size_t kClasses = 3, kTrainingRows = 6000, kRows = 4096;

// The few functions of LightGBM's C interface that are compared; constants as in its header.
class LightGbm {
 public:
  static constexpr int kFloat64 = 1, kRaw = 1;

  LightGbm(const std::string& library, const std::string& model) {
    void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) throw std::runtime_error(dlerror());
    Load(handle, "LGBM_BoosterLoadModelFromString", load_);
    Load(handle, "LGBM_BoosterPredictForMat", predict_);
    Load(handle, "LGBM_BoosterPredictForMatSingleRowFastInit", init_);
    Load(handle, "LGBM_BoosterPredictForMatSingleRowFast", predict_one_);
    Load(handle, "LGBM_GetLastError", error_);
    int rounds = 0;
    Check(load_(model.c_str(), &rounds, &booster_));
  }

  void PrepareOneRow(size_t columns) {
    Check(init_(booster_, kRaw, 0, -1, kFloat64, static_cast<int32_t>(columns), "num_threads=1",
                &fast_));
  }
  void PredictOne(const double* row, double* out) {
    int64_t length = 0;
    Check(predict_one_(fast_, row, &length, out));
  }
  void Predict(const std::vector<double>& rows, size_t columns, double* out) {
    int64_t length = 0;
    Check(predict_(booster_, rows.data(), kFloat64, static_cast<int32_t>(rows.size() / columns),
                   static_cast<int32_t>(columns), 1, kRaw, 0, -1, "num_threads=1", &length, out));
  }

 private:
  using Handle = void*;
  template <typename Function>
  static void Load(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    if (function == nullptr) throw std::runtime_error(std::string("no ") + name);
  }
  void Check(int status) const {
    if (status != 0) throw std::runtime_error(std::string("LightGBM: ") + error_());
  }

  int (*load_)(const char*, int*, Handle*) = nullptr;
  int (*predict_)(Handle, const void*, int, int32_t, int32_t, int, int, int, int, const char*,
                  int64_t*, double*) = nullptr;
  int (*init_)(Handle, int, int, int, int, int32_t, const char*, Handle*) = nullptr;
  int (*predict_one_)(Handle, const void*, int64_t*, double*) = nullptr;
  const char* (*error_)() = nullptr;
  Handle booster_ = nullptr, fast_ = nullptr;
};

double ProcessorSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// The least of some repetitions, so that what else the machine does counts little.
double MicrosecondsARow(const std::function<void()>& all_rows) {
  double least = std::numeric_limits<double>::infinity();
  constexpr int kRepetitions = 7;
  for (int i = 0; i < kRepetitions; ++i) {
    const double start = ProcessorSeconds();
    all_rows();
    least = std::min(least, ProcessorSeconds() - start);
  }
  return least / kRows * 1e6;
}

std::vector<double> RandomRows(size_t rows, size_t columns, uint64_t seed) {
  Random random(seed);
  std::vector<double> values(rows * columns);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = random.Normal();
    if (i % columns % 50 == 49 && values[i] > 1) {
      values[i] = std::numeric_limits<double>::quiet_NaN();
    }
  }
  return values;
}

Model TrainModel(int rounds, size_t columns, int leaves) {
  const std::vector<double> values = RandomRows(kTrainingRows, columns, 1);
  std::vector<float> labels;
  Random noise(2);
  for (size_t row = 0; row < kTrainingRows; ++row) {
    double sum = noise.Normal();
    for (size_t c = 0; c < std::min<size_t>(columns, 40); ++c) sum += values[row * columns + c] / 3;
    labels.push_back(sum < -0.7 ? 0.0F : sum < 0.7 ? 1.0F : 2.0F);
  }
  ColumnSource source;
  source.rows = kTrainingRows;
  for (size_t c = 0; c < columns; ++c) source.names.push_back(fmt::format("x{}", c));
  source.read = [&](size_t c, std::span<double> out) {
    for (size_t row = 0; row < kTrainingRows; ++row) out[row] = values[row * columns + c];
  };
  Params params = Params::Parse({{"objective", "multiclass"},
                                 {"num_class", std::to_string(kClasses)},
                                 {"num_iterations", std::to_string(rounds)},
                                 {"num_leaves", std::to_string(leaves)},
                                 {"max_depth", leaves <= 32 ? "5" : "-1"},
                                 {"feature_fraction", "0.3"}},
                                "bench");
  params.exact = false;
  return Train(params, BinnedData::Make(source, params), {labels, {}}).model;
}

struct Times {
  double one = 0, batch = 0;
};

Times Measure(size_t columns, const std::vector<double>& rows, std::vector<double>& out,
              const std::function<void(const double*, double*)>& one,
              const std::function<void()>& batch) {
  Times times;
  times.one = MicrosecondsARow([&] {
    for (size_t r = 0; r < kRows; ++r) one(rows.data() + r * columns, out.data() + r * kClasses);
  });
  times.batch = MicrosecondsARow(batch);
  return times;
}

void Run(const std::optional<std::string>& library, int rounds, size_t columns, int leaves) {
  SetThreadCount(1);
  const Model model = TrainModel(rounds, columns, leaves);
  const Predictor predictor(model);
  const std::vector<double> rows = RandomRows(kRows, columns, 3);
  std::vector<double> ours(kRows * kClasses), theirs(kRows * kClasses);
  const Times mine = Measure(
      columns, rows, ours,
      [&](const double* row, double* out) {
        predictor.Predict({row, columns}, Output::kRaw, {out, kClasses});
      },
      [&] { predictor.PredictRows(rows, Output::kRaw, ours); });
  fmt::print("{} trees of at most {} leaves, {} columns; one thread, microseconds a row\n",
             model.trees.size(), leaves, columns);
  fmt::print("{:<12} {:>10} {:>10}\n", "", "one row", "batch");
  fmt::print("{:<12} {:>10.3f} {:>10.3f}\n", "Almanac", mine.one, mine.batch);
  if (!library) {
    fmt::print("LightGBM is left out: no --lightgbm LIBRARY\n");
    return;
  }
  LightGbm lightgbm(*library, model.ToText());
  lightgbm.PrepareOneRow(columns);
  const Times other = Measure(
      columns, rows, theirs, [&](const double* row, double* out) { lightgbm.PredictOne(row, out); },
      [&] { lightgbm.Predict(rows, columns, theirs.data()); });
  fmt::print("{:<12} {:>10.3f} {:>10.3f}\n", "LightGBM", other.one, other.batch);
  fmt::print("{:<12} {:>10.1f} {:>10.1f}   (goals 4 and 3)\n", "ratio", other.one / mine.one,
             other.batch / mine.batch);
  fmt::print("{}\n", ours == theirs ? "the same bits" : "DIFFERENT PREDICTIONS");
}

}  // namespace
}  // namespace almanac::gbdt

int main(int argc, char** argv) {
  try {
    std::optional<std::string> library;
    std::vector<int> numbers;
    for (int i = 1; i < argc; ++i) {
      const std::string word = argv[i];
      if (word == "--lightgbm" && i + 1 < argc) {
        library = argv[++i];
      } else {
        numbers.push_back(std::stoi(word));
      }
    }
    const auto number = [&](size_t i, int otherwise) {
      return numbers.size() > i ? numbers[i] : otherwise;
    };
    almanac::gbdt::Run(library, number(0, 100), static_cast<size_t>(number(1, 400)), number(2, 30));
  } catch (const std::exception& error) {
    std::fputs(fmt::format("gbdt_predict_bench: {}\n", error.what()).c_str(), stderr);
    return 1;
  }
  return 0;
}
