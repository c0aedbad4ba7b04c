// What a model has learnt, from files: what `almanac gbdt explain` does.
#ifndef ALMANAC_GBDT_EXPLAIN_JOB_H_
#define ALMANAC_GBDT_EXPLAIN_JOB_H_

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/gbdt/file_job.h"
#include "almanac/gbdt/partial_dependence.h"

namespace almanac::gbdt {

struct ExplainSettings {
  std::vector<std::vector<std::string>> partial;  // one or two columns each
  DependenceGrid grid;
  size_t points_of_two = 30;  // of each of two columns, in place of grid.points
  bool by_paths = false;      // the trees' own weights instead of the mean over the rows
  bool shap = false;          // mean |SHAP| of the columns
  size_t most_rows = 2000;    // that are looked at, evenly spread; 0: all
};

struct ColumnImportance {
  std::string name;
  double splits = 0, gain = 0;
  double shap = 0;  // the mean of |value| over rows and classes
};

struct Dependence {
  std::vector<std::string> names;
  HeldColumns held;
  std::vector<double> values;  // [point * classes + class]
};

struct Explanation {
  size_t classes = 1, rows = 0;  // rows that were looked at; 0: no data was needed
  bool has_shap = false;
  std::vector<ColumnImportance> columns;  // that split, by SHAP if there, else by gain
  std::vector<Dependence> partial;

  Json ToJson() const;
  // partial,x,y,class,value; y is empty for one column.
  std::string PartialCsv() const;
};

// Of job.input_model; job.data is needed for SHAP values and for partial dependence, whose scores
// are raw with job.raw or settings.by_paths. Throws Error(kUsage) for what is missing and for a
// column that the model has not, with the nearest name.
Explanation ExplainFromFiles(const JobSettings& job, const ExplainSettings& settings);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_EXPLAIN_JOB_H_
