#include "almanac/gbdt/partial_dependence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "almanac/base/error.h"
#include "almanac/base/places_for_test.h"
#include "almanac/gbdt/corpus_for_test.h"
#include "almanac/gbdt/toy_data_for_test.h"
#include "almanac/gbdt/train.h"

namespace almanac::gbdt {
namespace {

std::filesystem::path TestData(const std::string& name) {
  return SourceFolder() / "almanac/gbdt/testdata" / name;
}

// scikit-learn's answers for a model of its own (testdata/make_partial.py).
TEST(PartialDependenceTest, EqualsScikitLearn) {
  const Model model = Model::Load(TestData("sklearn.model.txt"));
  CorpusTable table = ParseCorpusTable(ReadFile(TestData("small.csv")));
  table.names.pop_back();  // e, which is constant and not in that model
  table.columns.pop_back();
  struct Case {
    std::string method, columns;
    std::vector<double> x, y, value;
  };
  std::vector<Case> cases;
  VisitCsv(ReadFile(TestData("partial.csv")), [&](const std::vector<std::string_view>& fields) {
    if (cases.empty() || cases.back().method != fields[0] || cases.back().columns != fields[1]) {
      cases.push_back({std::string(fields[0]), std::string(fields[1]), {}, {}, {}});
    }
    cases.back().x.push_back(NumberOf<double>(fields[2]));
    cases.back().y.push_back(NumberOf<double>(fields[3]));
    cases.back().value.push_back(NumberOf<double>(fields[4]));
  });
  ASSERT_EQ(cases.size(), 6U);
  for (const Case& c : cases) {
    HeldColumns held;
    const DependenceGrid grid{c.columns.size() == 1 ? 15U : 6U};
    for (const char name : c.columns) {
      held.columns.push_back(static_cast<size_t>(name - 'a'));
      held.axes.push_back(grid.Along(table.columns[held.columns.back()]));
    }
    ASSERT_EQ(held.points(), c.value.size()) << c.columns;
    const std::vector<double> found =
        c.method == "brute" ? AverageDependence(model, table.Source(), held, Output::kRaw)
                            : PathDependence(model, held);
    for (size_t i = 0; i < found.size(); ++i) {
      const std::vector<double> at = held.Point(i);
      EXPECT_NEAR(at[0], c.x[i], 1e-12);
      if (at.size() > 1) {
        EXPECT_NEAR(at[1], c.y[i], 1e-12);
      }
      EXPECT_NEAR(found[i], c.value[i], 1e-12) << c.method << " " << c.columns << " " << i;
    }
  }
}

TEST(PartialDependenceTest, TheAverageIsThatOfChangedRows) {
  const ToyData toy(400, 4, 3);
  const std::vector<float> classes = toy.Classes(3);
  const Params params = Params::Parse(
      {{"objective", "multiclass"}, {"num_class", "3"}, {"num_iterations", "6"}}, "test");
  const Model model = Train(params, BinnedData::Make(toy.Source(), params), {classes, {}}).model;
  const HeldColumns held{{2, 0}, {{-0.5, 0.1, 0.7}, {0.0, std::nan("")}}};
  const std::vector<double> means =
      AverageDependence(model, toy.Source(), held, Output::kTransformed);
  ASSERT_EQ(means.size(), 18U);
  const Predictor predictor(model);
  for (size_t point = 0; point < 6; ++point) {
    std::vector<double> sums(3, 0.0), out(3);
    for (size_t r = 0; r < 400; ++r) {
      std::vector<double> row = toy.Row(r);
      row[2] = held.axes[0][point / 2];
      row[0] = held.axes[1][point % 2];
      predictor.Predict(row, Output::kTransformed, out);
      for (size_t k = 0; k < 3; ++k) sums[k] += out[k];
    }
    for (size_t k = 0; k < 3; ++k) EXPECT_EQ(means[point * 3 + k], sums[k] / 400);
  }
}

// All columns held: nothing is left to weigh.
TEST(PartialDependenceTest, PathsOfAllColumnsAreThePrediction) {
  const ToyData toy(600, 2, 8);
  const Params params = Params::Parse({{"num_iterations", "10"}}, "test");
  const Model model = Train(params, BinnedData::Make(toy.Source(), params), {toy.label, {}}).model;
  const Predictor predictor(model);
  for (size_t r = 0; r < 50; ++r) {
    const std::vector<double> row = toy.Row(r);
    std::vector<double> out(1);
    predictor.Predict(row, Output::kRaw, out);
    EXPECT_EQ(PathDependence(model, {{0, 1}, {{row[0]}, {row[1]}}})[0], out[0]);
  }
}

TEST(PartialDependenceTest, AGridNeedsValues) {
  const std::vector<double> none(3, std::nan(""));
  EXPECT_THROW(DependenceGrid{}.Along(none), Error);
  EXPECT_THROW((DependenceGrid{1}.Along({})), Error);
  const std::vector<double> few = {3, 1, std::nan(""), 1};
  EXPECT_THAT(DependenceGrid{}.Along(few), testing::ElementsAre(1, 3));
}

}  // namespace
}  // namespace almanac::gbdt
