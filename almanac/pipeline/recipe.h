// A recipe: everything a run needs to know, read from one YAML file with overlays. docs/recipes.md
// lists the keys.
#ifndef ALMANAC_PIPELINE_RECIPE_H_
#define ALMANAC_PIPELINE_RECIPE_H_

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "almanac/base/config.h"
#include "almanac/base/home.h"
#include "almanac/dataset/prune.h"
#include "almanac/evaluate/bootstrap.h"
#include "almanac/evaluate/cross_section.h"
#include "almanac/feature/audit.h"
#include "almanac/feature/feature_set.h"
#include "almanac/forecast/forecaster.h"
#include "almanac/pipeline/backtest_section.h"
#include "almanac/pipeline/data_section.h"
#include "almanac/pipeline/split_section.h"
#include "almanac/target/any_target.h"

namespace almanac {

struct ModelSection {
  std::string name;  // unique in the recipe; the kind unless given
  std::string kind;
  ConfigNode config;          // without name
  std::string configuration;  // the same as JSON text
  // Yardsticks that nobody selects: they are judged, not traded, and do not count as trials.
  bool baseline() const { return kind == "naive" || kind == "drift"; }
};

struct EvaluateSection {
  BootstrapOptions bootstrap;
  double significance = 0.05;
  CrossSectionOptions cross_section;  // of a panel
};

struct ReportSection {
  bool pictures = true;
  std::string currency;
};

struct Recipe {
  std::string name;
  std::string title;
  std::string description;
  DataSection data;
  FeatureSet features;
  LeakAuditOptions leak_audit;
  AnyTarget target;
  SplitSection split;
  std::optional<PruneSpec> prune;  // none: models get all columns
  std::vector<ModelSection> models;
  EvaluateSection evaluate;
  BacktestSection backtest;
  ReportSection report;
  ForecasterKinds kinds;

  // What the target's labels count in; empty for numbers: returns, prices, volatilities.
  std::vector<std::string> classes() const { return ClassesOf(target); }

  // The position of the naive model, which every recipe has: one that names none gets one.
  size_t NaiveModel() const;

  std::string text;  // the merged document as YAML-compatible text, for the report
  std::string hash;  // of the merged document, 64 hexadecimal digits
  // What `models` read from.
  std::vector<std::shared_ptr<const ConfigDocument>> documents;
};

// Reads and checks all of it: values out of range, unknown keys, contradictions between sections
// are Error(kUsage) naming file and line. `home` is where secrets may be.
Recipe LoadRecipe(const std::filesystem::path& file, const ConfigOptions& options,
                  const Home& home);

}  // namespace almanac

#endif  // ALMANAC_PIPELINE_RECIPE_H_
