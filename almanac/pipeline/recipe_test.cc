#include "almanac/pipeline/recipe.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/test_folder.h"

namespace almanac {
namespace {

constexpr char kRecipe[] = R"(name: small
data: {source: simulator, symbols: [AAA, BBB], timeframe: 1h, from: 2023-01-01, to: 2023-04-01}
features:
  - {family: log_return, windows: [1, 4]}
target: {kind: forward_return, horizon: 4}
models:
  - {kind: ridge, lambda: [1, 100], folds: 3}
  - {kind: ridge, name: stiff, lambda: 1000}
)";

class RecipeTest : public testing::Test {
 protected:
  void SetUp() override { WriteFileAtomic(File(), kRecipe); }
  std::filesystem::path File() const { return folder_ / "recipe.yaml"; }
  Recipe Load(const std::vector<std::string>& sets = {}) const {
    ConfigOptions options;
    options.sets = sets;
    return LoadRecipe(File(), options, Home{folder_ / "home"});
  }
  // What it says, or "" if it loads.
  std::string Refusal(const std::vector<std::string>& sets) const {
    try {
      Load(sets);
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      return error.what();
    }
  }

  TestFolder folder_;
};

TEST_F(RecipeTest, ReadsWhatIsThereAndFillsInTheRest) {
  const Recipe recipe = Load();
  EXPECT_EQ(recipe.name, "small");
  EXPECT_EQ(recipe.title, "small");
  EXPECT_EQ(HorizonOf(recipe.target), 4);
  EXPECT_EQ(recipe.evaluate.significance, 0.05);
  EXPECT_EQ(recipe.report.currency, "USDT");
  EXPECT_EQ(recipe.backtest.strategy.decide_every, 4u) << "the horizon unless given";
  ASSERT_EQ(recipe.data.Keys().size(), 2u);
  EXPECT_EQ(recipe.data.Keys()[1].symbol, "BBB");
}

TEST_F(RecipeTest, EveryRecipeHasTheNaiveModelAndTradesTheOthers) {
  const Recipe recipe = Load();
  ASSERT_EQ(recipe.models.size(), 3u);
  EXPECT_EQ(recipe.models[recipe.NaiveModel()].kind, "naive");
  EXPECT_EQ(recipe.models[2].name, "stiff");
  EXPECT_EQ(recipe.backtest.models, (std::vector<std::string>{"ridge", "stiff"}));
  const Recipe named = Load({"models=[{kind: ridge}, {kind: naive, name: still}]"});
  ASSERT_EQ(named.models.size(), 2u) << "none is added";
  EXPECT_EQ(named.models[named.NaiveModel()].name, "still");
}

TEST_F(RecipeTest, TheHashFollowsTheContentAndNotTheFile) {
  const std::string hash = Load().hash;
  EXPECT_EQ(hash.size(), 64u);
  EXPECT_EQ(Load().hash, hash);
  EXPECT_NE(Load({"target.horizon=5"}).hash, hash);
  WriteFileAtomic(File(), std::string("# a comment\n") + kRecipe);
  EXPECT_EQ(Load().hash, hash);
}

// The text is what the report shows and what lies beside it: it must be the recipe as it was run.
TEST_F(RecipeTest, ItsTextIsARecipeOfTheSameHash) {
  const Recipe recipe = Load({"target.horizon=7", "title=\"a: b\""});
  WriteFileAtomic(File(), recipe.text);
  EXPECT_EQ(Load().hash, recipe.hash);
  EXPECT_EQ(Load().title, "a: b");
  EXPECT_EQ(HorizonOf(Load().target), 7);
}

TEST_F(RecipeTest, AModelsConfigurationIsItsOwnKeys) {
  const Recipe recipe = Load();
  const Json configuration = Json::parse(recipe.models[2].configuration);
  EXPECT_EQ(configuration.at("kind"), "ridge");
  EXPECT_EQ(configuration.at("lambda"), 1000);
}

TEST_F(RecipeTest, EverySectionRefusesWhatItDoesNotKnow) {
  for (const char* key : {"data.x", "target.x", "split.x", "evaluate.x", "backtest.x", "report.x",
                          "leak_audit.x", "x"}) {
    const std::string refusal = Refusal({std::string(key) + "=1"});
    EXPECT_NE(refusal.find("is not a known key"), std::string::npos) << key << ": " << refusal;
  }
}

TEST_F(RecipeTest, ValuesOutOfRangeNameTheirKey) {
  const std::vector<std::pair<const char*, const char*>> rows = {
      {"target.horizon=0", "from 1 to"},
      {"evaluate.significance=0.9", "from 0.0001 to 0.5"},
      {"evaluate.replicates=100001", "from 0 to 100000"},
      {"evaluate.block_length=-1", "at least 0"},
      {"leak_audit.cuts=0", "from 1 to 1000"},
      {"backtest.size=0", "from 0.0001 to 1"},
      {"backtest.size=1.5", "from 0.0001 to 1"},
      {"backtest.decide_every=0", "from 1 to"},
      {"backtest.delay_bars=-1", "from 0 to"},
      {"backtest.slippage_bps=1001", "from 0 to 1000"},
      {"name=a/b", "is not a name"},
      {"name=.hidden", "is not a name"},
      {"models=[]", "names no model"},
      {"backtest.models=[stif]", "did you mean \"stiff\"?"},
  };
  for (const auto& [set, says] : rows) {
    const std::string refusal = Refusal({set});
    EXPECT_NE(refusal.find(says), std::string::npos) << set << ": " << refusal;
    EXPECT_NE(refusal.find(set), std::string::npos) << refusal;
  }
}

}  // namespace
}  // namespace almanac
