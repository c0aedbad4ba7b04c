// Combinatorial folds forecast every row several times, each time by models that did not learn from
// it: the mean of those forecasts, and whole paths of one forecast a row (López de Prado 2018,
// Advances in Financial Machine Learning, chapter 12). docs/recipes.md defines both.
#ifndef ALMANAC_PIPELINE_PATHS_H_
#define ALMANAC_PIPELINE_PATHS_H_

#include <cstddef>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/base/time.h"
#include "almanac/dataset/fold.h"
#include "almanac/forecast/table.h"
#include "almanac/report/report.h"

namespace almanac {

// Rows of the same model, symbol, instant and horizon become one, with the mean of their values
// and, of each further column, of those that are there. Sorted. A table without such rows stays as
// it is but for the order.
ForecastTable MeanOfRepeats(ForecastTable table);

// `forecasts` are those of one model, a table a fold; `times` those of the dataset's rows. Path p
// has of every instant the forecasts of the fold that is number p among those that test it: as
// CrossValidation::paths. Tables are sorted; one a path.
std::vector<ForecastTable> PathTables(const std::vector<ForecastTable>& forecasts,
                                      const std::vector<Fold>& folds,
                                      std::span<const TimeMs> times);

// Parquet: path (from 1), model, symbol, made_at, target_time, horizon, price, value, and the
// further columns that any path has. `paths`: of all models.
void SavePaths(const std::filesystem::path& file, const std::vector<ForecastTable>& paths);

// One number of a model or an account on each path, beside that of naive where there is one.
struct PathFigure {
  std::string name;    // "ridge"
  std::string figure;  // "mae"
  bool smaller_is_better = true;
  std::vector<double> values;  // one a path; NaN where it is not defined, and left out below
  std::vector<double> naive;   // one a path, or empty: 0 stands for it

  double Mean() const;
  double Deviation() const;  // divisor n - 1; NaN for one path
  double Least() const;
  double Most() const;
  // Of the paths on which the number is better than naive's.
  double ShareBetter() const;

 private:
  std::vector<double> Known() const;
};

// {"name", "figure", "paths": [], "naive": [], "mean", "deviation", "least", "most",
// "share_better"}; what is not known is null.
Json ToJson(const std::vector<PathFigure>& figures);

ReportTable PathsTable(const std::string& title, const std::vector<PathFigure>& figures);

}  // namespace almanac

#endif  // ALMANAC_PIPELINE_PATHS_H_
