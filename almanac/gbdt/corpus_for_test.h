// Reads ../shared/data/lightgbm: data sets with LightGBM's models, bins and predictions.
#ifndef ALMANAC_GBDT_CORPUS_FOR_TEST_H_
#define ALMANAC_GBDT_CORPUS_FOR_TEST_H_

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "almanac/base/file.h"
#include "almanac/base/json.h"
#include "almanac/base/text.h"
#include "almanac/gbdt/binned_data.h"
#include "almanac/gbdt/objective.h"
#include "almanac/gbdt/params.h"
#include "almanac/market/real_data_for_test.h"

namespace almanac::gbdt {

// Rows of label,weight,f0,f1,...; an empty field is NaN.
struct CorpusTable {
  std::vector<float> label, weight;
  std::vector<std::string> names;
  std::vector<std::vector<double>> columns;

  ColumnSource Source() const {
    return {label.size(), names, [this](size_t c, std::span<double> out) {
              std::copy(columns[c].begin(), columns[c].end(), out.begin());
            }};
  }
};

inline CorpusTable ParseCorpusTable(std::string_view text) {
  CorpusTable table;
  const std::string_view header = text.substr(0, text.find('\n'));
  for (const std::string_view name : almanac::Split(header, ',')) table.names.emplace_back(name);
  table.names.erase(table.names.begin(), table.names.begin() + 2);
  table.columns.resize(table.names.size());
  VisitCsv(text, [&](const std::vector<std::string_view>& fields) {
    table.label.push_back(static_cast<float>(NumberOf<double>(fields[0])));
    table.weight.push_back(static_cast<float>(NumberOf<double>(fields[1])));
    for (size_t c = 0; c < table.columns.size(); ++c) {
      const std::string_view field = fields[c + 2];
      table.columns[c].push_back(field.empty() ? std::numeric_limits<double>::quiet_NaN()
                                               : NumberOf<double>(field));
    }
  });
  return table;
}

// One set of parameters on one data set.
struct CorpusCase {
  std::string set, name;

  friend void PrintTo(const CorpusCase& c, std::ostream* out) { *out << c.set << "/" << c.name; }

  std::string File(const std::string& suffix) const {
    return "lightgbm/" + set + "/" + name + suffix;
  }
  bool Has(const std::string& suffix) const {
    return std::filesystem::exists(RealData(File(suffix)));
  }
  std::string Read(const std::string& suffix) const { return ReadZstd(RealData(File(suffix))); }
  Json ReadJson(const std::string& suffix) const {
    return Json::parse(ReadFile(RealData(File(suffix))));
  }

  // What the recorded call of LightGBM was given; what is not a parameter is left out.
  Settings GivenSettings() const {
    Settings settings;
    const Json recorded = ReadJson(".params.json");
    for (const auto& [key, value] : recorded.items()) {
      if (key == "best_iteration" || key == "uses_weight_column") continue;
      std::string text = value.is_string() ? value.get<std::string>() : value.dump();
      std::erase_if(text, [](char c) { return c == '[' || c == ']'; });
      settings.emplace_back(key, text);
    }
    return settings;
  }
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_CORPUS_FOR_TEST_H_
