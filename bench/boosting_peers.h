// LightGBM and XGBoost by their C interfaces, as far as the benchmarks need them.
#ifndef ALMANAC_BENCH_BOOSTING_PEERS_H_
#define ALMANAC_BENCH_BOOSTING_PEERS_H_

#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "shared_library.h"

namespace almanac::bench {

// Columns one after another, float32.
struct Matrix {
  size_t rows = 0, columns = 0;
  std::vector<float> values, label;
};

class LightGbm {
 public:
  explicit LightGbm(const std::string& path) : library_(path) {}

  void Bin(const Matrix& train, const std::string& parameters) {
    auto* create =
        library_
            .Get<int(const void*, int, int32_t, int32_t, int, const char*, const void*, void**)>(
                "LGBM_DatasetCreateFromMat");
    Check(create(train.values.data(), 0, static_cast<int32_t>(train.rows),
                 static_cast<int32_t>(train.columns), 0, parameters.c_str(), nullptr, &data_));
    auto* set =
        library_.Get<int(void*, const char*, const void*, int, int)>("LGBM_DatasetSetField");
    Check(set(data_, "label", train.label.data(), static_cast<int>(train.rows), 0));
    auto* booster = library_.Get<int(const void*, const char*, void**)>("LGBM_BoosterCreate");
    Check(booster(data_, parameters.c_str(), &booster_));
  }

  void Round() {
    int finished = 0;
    Check(library_.Get<int(void*, int*)>("LGBM_BoosterUpdateOneIter")(booster_, &finished));
  }

  // [row * classes + class].
  std::vector<double> Predict(const Matrix& test, int classes) {
    std::vector<double> out(test.rows * static_cast<size_t>(classes));
    int64_t length = 0;
    auto* predict = library_.Get<int(void*, const void*, int, int32_t, int32_t, int, int, int, int,
                                     const char*, int64_t*, double*)>("LGBM_BoosterPredictForMat");
    Check(predict(booster_, test.values.data(), 0, static_cast<int32_t>(test.rows),
                  static_cast<int32_t>(test.columns), 0, 0, 0, -1, "", &length, out.data()));
    return out;
  }

  void Free() {
    Check(library_.Get<int(void*)>("LGBM_BoosterFree")(booster_));
    Check(library_.Get<int(void*)>("LGBM_DatasetFree")(data_));
  }

 private:
  void Check(int status) const {
    if (status != 0) {
      throw std::runtime_error(library_.Get<const char*()>("LGBM_GetLastError")());
    }
  }

  SharedLibrary library_;
  void* data_ = nullptr;
  void* booster_ = nullptr;
};

class XgBoost {
 public:
  explicit XgBoost(const std::string& path) : library_(path) {}

  // XGBoost bins in the first round.
  void Bin(const Matrix& train,
           const std::vector<std::pair<std::string, std::string>>& parameters) {
    train_ = Load(train);
    auto* set =
        library_.Get<int(void*, const char*, const float*, uint64_t)>("XGDMatrixSetFloatInfo");
    Check(set(train_, "label", train.label.data(), train.rows));
    auto* create = library_.Get<int(void**, uint64_t, void**)>("XGBoosterCreate");
    Check(create(&train_, 1, &booster_));
    auto* tell = library_.Get<int(void*, const char*, const char*)>("XGBoosterSetParam");
    for (const auto& [key, value] : parameters) {
      Check(tell(booster_, key.c_str(), value.c_str()));
    }
  }

  void Round() {
    Check(
        library_.Get<int(void*, int, void*)>("XGBoosterUpdateOneIter")(booster_, round_++, train_));
  }

  std::vector<double> Predict(const Matrix& test) {
    void* data = Load(test);
    uint64_t length = 0;
    const float* values = nullptr;
    auto* predict = library_.Get<int(void*, void*, int, unsigned, int, uint64_t*, const float**)>(
        "XGBoosterPredict");
    Check(predict(booster_, data, 0, 0, 0, &length, &values));
    return {values, values + length};
  }

 private:
  void* Load(const Matrix& matrix) {
    std::vector<float> by_row(matrix.values.size());
    for (size_t c = 0; c < matrix.columns; ++c) {
      for (size_t row = 0; row < matrix.rows; ++row) {
        by_row[row * matrix.columns + c] = matrix.values[c * matrix.rows + row];
      }
    }
    void* data = nullptr;
    auto* create = library_.Get<int(const float*, uint64_t, uint64_t, float, void**)>(
        "XGDMatrixCreateFromMat");
    Check(create(by_row.data(), matrix.rows, matrix.columns,
                 std::numeric_limits<float>::quiet_NaN(), &data));
    return data;
  }
  void Check(int status) const {
    if (status != 0) throw std::runtime_error(library_.Get<const char*()>("XGBGetLastError")());
  }

  SharedLibrary library_;
  void* train_ = nullptr;
  void* booster_ = nullptr;
  int round_ = 0;
};

}  // namespace almanac::bench

#endif  // ALMANAC_BENCH_BOOSTING_PEERS_H_
