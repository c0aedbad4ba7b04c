#include "almanac/gbdt/train.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "almanac/base/cancel.h"
#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/gbdt/bagging.h"
#include "almanac/gbdt/dart.h"
#include "almanac/gbdt/early_stopping.h"
#include "almanac/gbdt/exact_forest.h"
#include "almanac/gbdt/forest_grower.h"
#include "almanac/gbdt/grower.h"
#include "almanac/gbdt/predictor.h"
#include "almanac/gbdt/scores.h"
#include "almanac/gbdt/training_state.h"
#include "almanac/gbdt/working_set.h"

namespace almanac::gbdt {
namespace {

std::string SafeName(const std::string& name) {
  std::string safe = name;
  std::replace(safe.begin(), safe.end(), ' ', '_');
  return safe;
}

class Trainer {
 public:
  Trainer(const Params& params, const BinnedData& data, const Targets& targets,
          const std::vector<Validation>& validations, const TrainOptions& options)
      : params_(params),
        data_(data),
        targets_(targets),
        options_(options),
        objective_(Objective::Make(params, targets, options.objective)),
        classes_(objective_->classes()),
        bagging_(params, data.rows()),
        working_set_(params, data.features()),
        scores_(classes_, data.rows()),
        judges_(validations, params_, options.metrics, classes_),
        gradients_(classes_ * data.rows()),
        hessians_(classes_ * data.rows()),
        start_(classes_, 0.0) {
    if (ForestGrower::Suits(data, params_)) {
      forest_.emplace(data, params_, classes_);
    } else if (ExactForest::Suits(data, params_)) {
      exact_forest_.emplace(data, params_, classes_);
    } else {
      grower_.emplace(data, params_,
                      objective_->HasUnitHessian() && params.data_sample_strategy != "goss");
    }
    result_.evaluations = judges_.Announce();
    stopping_.emplace(params_, result_.evaluations);
    if (params.boosting == "dart") dart_.emplace(params);
    if (!options.resume_file.empty()) key_ = TrainingKey(params, data, targets, validations);
  }

  TrainResult Run() {
    StartModel();
    if (!targets_.initial_score.empty()) {
      StartFromInitialScores();
    } else if (params_.boost_from_average) {
      for (size_t k = 0; k < classes_; ++k) StartFrom(k, objective_->Start(k));
    }
    const bool watches = params_.early_stopping_round > 0;
    for (int round = Resume(); round < params_.num_iterations; ++round) {
      CheckCancel();
      if (!MakeRound(round)) break;
      judges_.Evaluate(result_.evaluations);
      if (options_.on_round) options_.on_round(round + 1, result_.evaluations);
      if (watches && stopping_->Update(result_.evaluations)) break;
      Snapshot(round + 1);
    }
    if (watches) CutAfter(stopping_->best_round());
    if (!options_.resume_file.empty()) std::filesystem::remove(options_.resume_file);
    return std::move(result_);
  }

 private:
  void StartModel() {
    Model& model = result_.model;
    model.classes = static_cast<int>(classes_);
    model.objective = ObjectiveText(params_);
    for (const std::string& name : data_.column_names()) {
      model.feature_names.push_back(SafeName(name));
    }
    for (const BinMapper& mapper : data_.mappers()) model.feature_infos.push_back(mapper.Info());
    model.monotone_constraints = {params_.monotone_constraints.begin(),
                                  params_.monotone_constraints.end()};
    model.parameters = params_.ToModelText();
    model.importance_type = params_.saved_feature_importance_type;
  }

  void StartFromInitialScores() {
    std::copy(targets_.initial_score.begin(), targets_.initial_score.end(), scores_.values.begin());
    judges_.StartFromInitialScores();
  }

  // The round to go on with.
  int Resume() {
    if (options_.resume_file.empty() || !std::filesystem::exists(options_.resume_file)) return 0;
    const std::string state = ReadTrainingState(options_.resume_file, key_);
    StateReader reader(state);
    int rounds = 0;
    reader(rounds);
    Visit(reader);
    reader.ExpectEnd();
    if (!working_set_.features().empty()) LookAt(working_set_.features());
    return rounds;
  }

  void Snapshot(int rounds) {
    if (options_.snapshot_every <= 0 || rounds % options_.snapshot_every != 0) return;
    if (options_.on_snapshot) options_.on_snapshot(rounds, result_.model);
    if (options_.resume_file.empty()) return;
    StateWriter writer;
    writer(rounds);
    Visit(writer);
    WriteTrainingState(options_.resume_file, key_, writer.bytes());
  }

  // All that a round leaves for the next.
  template <typename Archive>
  void Visit(Archive& archive) {
    const auto visit_sized = [](Archive& into, auto& values) { VisitSized(into, values); };
    if (forest_) archive(*forest_);
    if (exact_forest_) archive(*exact_forest_);
    if (grower_) archive(*grower_);
    archive(*stopping_, start_, scores_.values);
    bagging_.Visit(archive, visit_sized);
    working_set_.Visit(archive, visit_sized);
    if (dart_) dart_->Visit(archive, visit_sized);
    judges_.Visit(archive);
    for (Evaluation& evaluation : result_.evaluations) VisitSized(archive, evaluation.values);
    VisitSized(archive, result_.model.trees);
  }

  void StartFrom(size_t k, double score) {
    if (std::abs(score) <= kEpsilon) return;
    start_[k] = score;
    for (double& value : scores_.of(k)) value += score;
    judges_.Add(k, score);
  }

  // False if no class could be split: the round is then left out, unless it is the first.
  bool MakeRound(int round) {
    if (dart_) ForgetTrees(round);
    objective_->Gradients(scores_.values, gradients_, hessians_);
    bagging_.StartRound(round, gradients_, hessians_);
    if (working_set_.StartRound(round)) LookAt(working_set_.features());
    std::vector<GrownTree> forest(classes_);
    if (!grower_) forest = GrowForest();
    std::vector<Tree> trees;
    bool has_grown = false;
    for (size_t k = 0; k < classes_; ++k) {
      GrownTree grown = std::move(forest[k]);
      if (grower_ && objective_->NeedsTraining(k)) grown = Grow(k);
      if (grown.tree.leaves() > 1) Score(k, grown);
      if (grown.tree.leaves() > 1) {
        has_grown = true;
        working_set_.Learn(grown);
        if (round == 0 && std::abs(start_[k]) > kEpsilon) grown.tree.AddBias(start_[k]);
        trees.push_back(std::move(grown.tree));
      } else {
        trees.push_back(ConstantTree(k, round));
      }
    }
    if (!has_grown && round > 0) {
      if (dart_) RestoreTrees();
      return false;
    }
    std::move(trees.begin(), trees.end(), std::back_inserter(result_.model.trees));
    if (dart_) RememberTrees();
    return has_grown;
  }

  void LookAt(const std::vector<uint32_t>& features) {
    if (forest_) forest_->LookAt(features);
    if (grower_) grower_->LookAt(features);
  }

  // Calls act(tree, class) for the trees that the round forgets.
  template <typename Action>
  void ForDropped(const Action& act) {
    for (const size_t round : dart_->dropped()) {
      for (size_t k = 0; k < classes_; ++k) act(result_.model.trees[round * classes_ + k], k);
    }
  }

  void ForgetTrees(int round) {
    dart_->StartRound(round);
    ForDropped([&](Tree& tree, size_t k) {
      tree.Shrink(-1);
      AddScores(WithBins(tree, data_), data_, scores_.of(k));
    });
  }

  // LightGBM leaves them with the wrong sign where training ends for want of splits.
  void RestoreTrees() {
    ForDropped([](Tree& tree, size_t) { tree.Shrink(-1); });
  }

  void RememberTrees() {
    ForDropped([&](Tree& tree, size_t k) {
      tree.Shrink(dart_->first_factor());
      judges_.Add(k, WithBins(tree, data_));
      tree.Shrink(dart_->second_factor());
      AddScores(WithBins(tree, data_), data_, scores_.of(k));
    });
    dart_->FinishRound();
  }

  GrownTree Grow(size_t k) {
    const size_t rows = data_.rows();
    return grower_->Grow(std::span(gradients_).subspan(k * rows, rows),
                         std::span(hessians_).subspan(k * rows, rows), bagging_.in_bag());
  }

  std::vector<GrownTree> GrowForest() {
    std::vector<uint8_t> wanted(classes_);
    for (size_t k = 0; k < classes_; ++k) wanted[k] = objective_->NeedsTraining(k) ? 1 : 0;
    return forest_ ? forest_->Grow(gradients_, hessians_, bagging_.in_bag(), wanted)
                   : exact_forest_->Grow(gradients_, hessians_, bagging_.in_bag(), wanted);
  }

  std::span<const uint32_t> LeafRows(size_t k, size_t leaf) const {
    if (grower_) return grower_->LeafRows(leaf);
    return forest_ ? forest_->LeafRows(k, leaf) : exact_forest_->LeafRows(k, leaf);
  }

  // Gives the tree its final leaf values and adds them to all scores.
  void Score(size_t k, GrownTree& grown) {
    if (objective_->RenewsLeaves()) RenewLeaves(grown.tree, k);
    grown.tree.Shrink(dart_ ? dart_->shrinkage() : params_.learning_rate);
    const std::span<double> scores = scores_.of(k);
    ParallelFor(grown.tree.leaves(), [&](size_t leaf) {
      for (const uint32_t row : LeafRows(k, leaf)) scores[row] += grown.tree.leaf_value[leaf];
    });
    AddScores(grown, data_, bagging_.out_of_bag(), scores);
    judges_.Add(k, grown);
  }

  void RenewLeaves(Tree& tree, size_t k) {
    const std::span<const double> scores = scores_.of(k);
    ParallelFor(tree.leaves(), [&](size_t leaf) {
      std::vector<double> residuals;
      std::vector<float> weights;
      for (const uint32_t row : LeafRows(k, leaf)) {
        residuals.push_back(static_cast<double>(targets_.label[row]) - scores[row]);
        if (!targets_.weight.empty()) weights.push_back(targets_.weight[row]);
      }
      if (residuals.empty()) return;
      tree.leaf_value[leaf] = objective_->RenewedOutput(residuals, weights);
    });
  }

  Tree ConstantTree(size_t k, int round) {
    const auto rows = static_cast<int>(data_.rows());
    if (round > 0 || !targets_.initial_score.empty()) return Tree::Constant(0, rows);
    if (!params_.boost_from_average) StartFrom(k, objective_->Start(k));
    return Tree::Constant(start_[k], rows);
  }

  void CutAfter(int round) {
    result_.best_round = round;
    result_.model.trees.resize(
        std::min(result_.model.trees.size(), static_cast<size_t>(round) * classes_));
  }

  const Params params_;
  const BinnedData& data_;
  const Targets targets_;
  const TrainOptions& options_;
  std::unique_ptr<Objective> objective_;
  size_t classes_;
  Bagging bagging_;
  WorkingSet working_set_;
  std::optional<Dart> dart_;
  // One of them is there.
  std::optional<TreeGrower> grower_;
  std::optional<ForestGrower> forest_;
  std::optional<ExactForest> exact_forest_;
  Scores scores_;
  Judges judges_;
  std::vector<float> gradients_, hessians_;
  std::vector<double> start_;
  std::optional<EarlyStopping> stopping_;
  std::string key_;  // of the file to resume from
  TrainResult result_;
};

// Either all sets have initial scores, a number a row and class, or none.
void RequireInitialScores(const std::string& where, const Targets& targets, const Targets& training,
                          size_t classes) {
  const size_t expected = training.initial_score.empty() ? 0 : targets.rows() * classes;
  if (targets.initial_score.size() == expected) return;
  throw Error(ErrorCode::kBadData, where,
              fmt::format("{} initial scores, not {}", targets.initial_score.size(), expected),
              "give a score for each row and class, to all sets or to none");
}

}  // namespace

TrainResult Train(const Params& params, const BinnedData& data, const Targets& targets,
                  const std::vector<Validation>& validations, const TrainOptions& options) {
  if (targets.rows() != data.rows()) {
    throw Error(ErrorCode::kBadData, "labels",
                fmt::format("{} labels for {} rows", targets.rows(), data.rows()),
                "give one label a row");
  }
  if (data.features() == 0) {
    throw Error(ErrorCode::kBadData, "boosted trees", "no column can split the rows",
                "give columns that vary, more rows, or a smaller min_data_in_leaf");
  }
  const bool can_stop = std::any_of(validations.begin(), validations.end(),
                                    [](const Validation& v) { return v.can_stop; });
  if (params.early_stopping_round > 0 && !can_stop) {
    throw Error(ErrorCode::kUsage, "early_stopping_round", "there is no validation set",
                "give one, or early_stopping_round = 0");
  }
  if (params.exact && params.feature_screen > 0) {
    throw Error(ErrorCode::kUsage, "feature_screen",
                "exact mode looks at all features, as LightGBM does",
                "leave feature_screen or exact out");
  }
  const size_t columns = data.column_names().size(), trends = params.monotone_constraints.size();
  if (trends != 0 && trends != columns) {
    throw Error(ErrorCode::kUsage, "monotone_constraints",
                fmt::format("there are {} for {} columns", trends, columns),
                "give one a column: 1, 0 or -1");
  }
  const size_t classes = Objective::Make(params, targets, options.objective)->classes();
  RequireInitialScores("initial scores", targets, targets, classes);
  for (const Validation& validation : validations) {
    static_cast<void>(Objective::Make(params, validation.targets, options.objective));
    RequireInitialScores(validation.name, validation.targets, targets, classes);
    if (validation.targets.rows() == validation.data.rows()) continue;
    throw Error(
        ErrorCode::kBadData, validation.name,
        fmt::format("{} labels for {} rows", validation.targets.rows(), validation.data.rows()),
        "give one label a row");
  }
  if (params.class_weight.empty()) {
    return Trainer(params, data, targets, validations, options).Run();
  }
  const std::vector<float> weights = ClassWeighted(params, targets);
  const Targets weighed{targets.label, weights, targets.initial_score};
  return Trainer(params, data, weighed, validations, options).Run();
}

Model ContinueModel(const Model& base, Model more) {
  if (base.classes != more.classes || base.feature_names != more.feature_names) {
    throw Error(ErrorCode::kUsage, "input_model",
                "the model to go on from has other columns or classes than the data",
                "give the columns that it was trained on, in their order, and its objective");
  }
  more.trees.insert(more.trees.begin(), base.trees.begin(), base.trees.end());
  return more;
}

std::vector<double> InitialScores(const Model& base, const ColumnSource& source) {
  const auto classes = static_cast<size_t>(base.classes);
  const std::vector<double> by_row = Predictor(base).PredictAll(source, Output::kRaw);
  std::vector<double> scores(by_row.size());
  for (size_t row = 0; row < source.rows; ++row) {
    for (size_t k = 0; k < classes; ++k) scores[k * source.rows + row] = by_row[row * classes + k];
  }
  return scores;
}

}  // namespace almanac::gbdt
