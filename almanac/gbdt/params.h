// The parameters of boosted trees by LightGBM's names and aliases. A name that LightGBM does not
// have, a value out of range and settings that contradict each other are errors; so is what
// LightGBM has and we have not, unless it is given its default value.
//
// One difference is deliberate: LightGBM ignores what it does not know; a misspelt name then
// trains another model than was meant.
#ifndef ALMANAC_GBDT_PARAMS_H_
#define ALMANAC_GBDT_PARAMS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac::gbdt {

// name, value; both as in a configuration file of LightGBM ("num_leaves", "31").
using Settings = std::vector<std::pair<std::string, std::string>>;

// The defaults are LightGBM's. Fields that are not commented have the meaning of LightGBM's
// documentation.
struct Params {
  std::string boosting = "gbdt";         // gbdt, dart
  std::string objective = "regression";  // regression, regression_l1, huber, quantile, binary,
                                         // multiclass, custom: TrainOptions has it
  std::vector<std::string> metric;       // first: the objective's own; none for a custom one
  int num_iterations = 100;
  double learning_rate = 0.1;
  int num_leaves = 31;
  int max_depth = -1;  // <= 0: no limit
  int min_data_in_leaf = 20;
  double min_sum_hessian_in_leaf = 1e-3;
  double bagging_fraction = 1;
  int bagging_freq = 0;
  std::string data_sample_strategy = "bagging";  // or goss: see Bagging
  double top_rate = 0.2, other_rate = 0.1;       // goss
  double drop_rate = 0.1, skip_drop = 0.5;       // dart: see Dart
  int max_drop = 50;                             // below 0: no limit
  bool xgboost_dart_mode = false, uniform_drop = false;
  double feature_fraction = 1, feature_fraction_bynode = 1;
  // Not LightGBM's: look at so many features a round (0: all), after so many rounds that look at
  // all, chosen anew every so many; see WorkingSet.
  int feature_screen = 0, feature_screen_start = 10, feature_screen_freq = 1;
  int early_stopping_round = 0;  // <= 0: none
  double early_stopping_min_delta = 0;
  bool first_metric_only = false;
  double max_delta_step = 0;  // <= 0: no limit
  double lambda_l1 = 0, lambda_l2 = 0;
  double min_gain_to_split = 0;
  double path_smooth = 0;
  // One a column, or empty: 1 where predictions may not fall with it, -1 where they may not rise.
  // LightGBM's method "basic".
  std::vector<int8_t> monotone_constraints;
  double monotone_penalty = 0;
  int min_data_per_group = 100, max_cat_threshold = 32, max_cat_to_onehot = 4;
  double cat_l2 = 10, cat_smooth = 10;

  int max_bin = 255, min_data_in_bin = 3, bin_construct_sample_cnt = 200000;
  bool use_missing = true, zero_as_missing = false, feature_pre_filter = true;
  std::vector<int> categorical_feature;  // columns, ascending

  int num_class = 1;
  bool is_unbalance = false;
  double scale_pos_weight = 1, sigmoid = 1;
  bool boost_from_average = true;
  double alpha = 0.9;  // huber, quantile

  // From `seed` where that is given and they are not.
  int seed = 0;
  int data_random_seed = 1, bagging_seed = 3, drop_seed = 4, feature_fraction_seed = 2;
  int objective_seed = 5, extra_seed = 6;

  // Gradients as small whole numbers, as LightGBM does with stochastic_rounding = false (the other
  // depends on its threads and is refused).
  bool use_quantized_grad = false, quant_train_renew_leaf = false, stochastic_rounding = true;
  int num_grad_quant_bins = 4;

  // That of LightGBM's Python interface: rows' weights are multiplied by their class's. Empty, or
  // "balanced" (rows / (classes * rows of the class)), or a number a class.
  std::string class_weight;

  // Not LightGBM's: false makes histograms of fixed-point numbers, faster and nearly the same.
  bool exact = true;

  int saved_feature_importance_type = 0;  // 0: how many splits, 1: their gain

  // Without influence on the model here; kept because the model file lists them.
  int num_threads = 0, verbosity = 1;
  bool deterministic = false, force_col_wise = false, force_row_wise = false;
  bool is_enable_sparse = true, enable_bundle = true;
  double histogram_pool_size = -1;

  // `where` (a file, a recipe's key) is the place in errors. Throws Error(kUsage).
  static Params Parse(const Settings& settings, std::string_view where);

  int TrendOf(size_t column) const {
    return monotone_constraints.empty() ? 0 : monotone_constraints[column];
  }

  // The lines "[name: value]" of a model file, in LightGBM's order.
  std::string ToModelText() const;
};

// The name behind an alias; the word itself if it is a name; empty if it is neither.
std::string_view CanonicalParameter(std::string_view word);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_PARAMS_H_
