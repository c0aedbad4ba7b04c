// Random columns and labels for tests that need no recorded data.
#ifndef ALMANAC_GBDT_TOY_DATA_FOR_TEST_H_
#define ALMANAC_GBDT_TOY_DATA_FOR_TEST_H_

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "almanac/dataset/lcg.h"
#include "almanac/gbdt/binned_data.h"

namespace almanac::gbdt {

struct ToyData {
  std::vector<std::vector<double>> columns;
  std::vector<float> label;

  // Columns of numbers in [-1, 1) of which each tenth is NaN and each seventh 0; the label adds the
  // first three and some noise.
  ToyData(size_t rows, size_t count, uint32_t seed) : columns(count), label(rows, 0.0F) {
    Lcg random(seed);
    const auto draw = [&] { return 2.0 * static_cast<double>(random.DrawFloat()) - 1.0; };
    for (size_t row = 0; row < rows; ++row) {
      double sum = 0.2 * draw();
      for (size_t c = 0; c < count; ++c) {
        double value = draw();
        if (random.Draw16() % 10 == 0) value = std::numeric_limits<double>::quiet_NaN();
        if (random.Draw16() % 7 == 0) value = 0;
        columns[c].push_back(value);
        if (c < 3 && !std::isnan(value)) sum += value;
      }
      label[row] = static_cast<float>(sum);
    }
  }

  ColumnSource Source() const {
    ColumnSource source;
    source.rows = label.size();
    for (size_t c = 0; c < columns.size(); ++c) source.names.push_back("x" + std::to_string(c));
    source.read = [this](size_t c, std::span<double> out) {
      std::copy(columns[c].begin(), columns[c].end(), out.begin());
    };
    return source;
  }

  std::vector<double> Row(size_t row) const {
    std::vector<double> values;
    for (const std::vector<double>& column : columns) values.push_back(column[row]);
    return values;
  }

  std::vector<float> Classes(int count) const {
    std::vector<float> classes;
    for (const float value : label) {
      const float place = (value + 1.5F) / 3.0F * static_cast<float>(count);
      classes.push_back(std::clamp(std::floor(place), 0.0F, static_cast<float>(count - 1)));
    }
    return classes;
  }
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_TOY_DATA_FOR_TEST_H_
