// The interface of everything that learns from a dataset and forecasts its target.
//
// A forecaster is made from its configuration, fitted once, then predicts; it saves to a folder and
// loads from it, and the loaded one gives the same bits. Fitting is deterministic: the same data
// and configuration give the same bytes.
#ifndef ALMANAC_FORECAST_FORECASTER_H_
#define ALMANAC_FORECAST_FORECASTER_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/config.h"
#include "almanac/base/json.h"
#include "almanac/dataset/dataset.h"

namespace almanac {

// What a model may learn from. `validation` is for choices during the fit (early stopping); models
// that need none ignore it.
struct FitInput {
  const Dataset& data;
  TrainingRows training;
  std::span<const uint32_t> validation = {};
  // Of a pool of symbols: the symbols' own datasets, and where each row of `data` is from. A model
  // that needs the rows before a row finds them there. Empty: `data` is of one symbol.
  std::span<const Dataset* const> parts = {};
  std::span<const Dataset::Origin> origin = {};
  // Where a long fit keeps what it needs to go on after a stop; empty: nowhere. Survives the
  // process; the caller deletes it when the forecaster is saved.
  std::filesystem::path work_folder = {};
  // Receives a line now and then about how far the fit is; may be empty.
  std::function<void(std::string_view)> note = {};
};

struct FitReport {
  size_t rows = 0;     // learnt from
  size_t dropped = 0;  // training rows left out because a feature or the target is NaN
};

// One row of forecasts for each asked row.
struct Prediction {
  // In the target's unit; NaN where a needed feature is, and of classes, which have probabilities.
  std::vector<double> value;
  // Further columns such as quantiles or class probabilities, named as in the forecast table.
  std::vector<std::string> extra_names;
  std::vector<std::vector<double>> extra;
  // Of a model that forecasts every step: the same for the horizons before the target's, from 1 on.
  std::vector<Prediction> earlier;
};

// The name of the column that holds a class's probability: "p_up".
std::string ClassColumn(const std::string& class_name);

class Forecaster {
 public:
  virtual ~Forecaster() = default;
  virtual std::string kind() const = 0;  // "ridge"
  // Throws Error(kUsage) unless the forecaster, as it is configured, can forecast a target of these
  // classes, or of numbers if there are none. As long as a kind does not say otherwise, it
  // forecasts numbers.
  virtual void CheckTarget(const std::vector<std::string>& classes) const;
  // Whether a forecast looks at rows before its own, so that a dataset must have all of them and
  // not only those that have labels.
  virtual bool LooksBack() const { return false; }
  // Throws Error(kBadData) if there is nothing to learn from, Error(kInterrupted) if stopped.
  virtual FitReport Fit(const FitInput& input) = 0;
  // Throws Error(kUsage) before Fit, Error(kBadData) if the columns are not those of Fit.
  virtual Prediction Predict(const Dataset& data, std::span<const uint32_t> rows) const = 0;
  // What was learnt, for people and manifests: coefficients, the chosen lambda.
  virtual Json Describe() const = 0;
  // Everything Load needs. For SaveForecaster; callers use that.
  virtual void Save(const std::filesystem::path& folder) const = 0;
};

// How to make one kind of forecaster from configuration, and to load a saved one. Rooms above this
// one add their kinds to a registry of their own.
struct ForecasterKind {
  // Reads the keys of `config` that the kind knows; Error(kUsage) for bad values.
  std::function<std::unique_ptr<Forecaster>(const ConfigNode& config)> make;
  std::function<std::unique_ptr<Forecaster>(const std::filesystem::path& folder)> load;
};

class ForecasterKinds {
 public:
  // naive, drift, ridge, momentum.
  static ForecasterKinds BuiltIn();

  void Add(const std::string& name, ForecasterKind kind);
  std::vector<std::string> Names() const;  // sorted
  // By `kind` in `config`: {kind: ridge, lambda: [0.1, 1, 10]}. Error(kUsage) for an unknown one.
  std::unique_ptr<Forecaster> Make(const ConfigNode& config) const;
  // What SaveForecaster wrote. Error(kBadData) naming the file if it is not that.
  std::unique_ptr<Forecaster> Load(const std::filesystem::path& folder) const;

 private:
  std::map<std::string, ForecasterKind> kinds_;
};

// Writes `folder`/forecaster.json with the kind and whatever the kind adds. The folder exists,
// usually an AtomicFolder's staging.
void SaveForecaster(const Forecaster& forecaster, const std::filesystem::path& folder);

}  // namespace almanac

#endif  // ALMANAC_FORECAST_FORECASTER_H_
