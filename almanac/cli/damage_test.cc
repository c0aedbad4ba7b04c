// What the program makes of a home that something else has damaged: it says what and where, or
// makes it again; it never uses it.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "almanac/base/file.h"
#include "almanac/cli/program_for_test.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

using Words = std::vector<std::string>;

Words RunSmall() { return {"run", "recipe.yaml"}; }

class DamageTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_.Write("recipe.yaml", SmallRecipe());
    const ProgramEnd end = folder_.Run(RunSmall());
    ASSERT_EQ(end.status, 0) << end.err;
    whole_ = Results();
  }

  std::map<std::string, std::string> Results() const {
    return folder_.Digests({"artifacts", "lake", "runs"});
  }
  // The files of the home whose path ends so; at least one.
  std::vector<fs::path> Find(const std::string& part, const std::string& end) const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.home() / part)) {
      const std::string path = entry.path().string();
      const bool ends_so =
          path.size() >= end.size() && path.compare(path.size() - end.size(), end.size(), end) == 0;
      if (entry.is_regular_file() && ends_so) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    EXPECT_FALSE(found.empty()) << part << " *" << end;
    return found;
  }
  // As another program would: without the program's own atomic writes.
  static void Overwrite(const fs::path& file, const std::string& content) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
  }
  static void CutInHalf(const fs::path& file) { fs::resize_file(file, fs::file_size(file) / 2); }

  void ExpectMade(size_t least) {
    const ProgramEnd end = folder_.Run({"run", "recipe.yaml", "--json"});
    ASSERT_EQ(end.status, 0) << end.err;
    size_t made = 0;
    const Json document = end.json();
    for (const Json& stage : document.at("stages")) made += stage.at("status") == "made" ? 1 : 0;
    EXPECT_GE(made, least);
    EXPECT_EQ(Results(), whole_);
    EXPECT_EQ(folder_.Leftovers(), Words());
  }
  void ExpectRefused(const Words& arguments, int status, const Words& says) {
    const ProgramEnd end = folder_.Run(arguments);
    EXPECT_EQ(end.status, status) << end.err;
    for (const std::string& text : says) {
      EXPECT_NE(end.err.find(text), std::string::npos) << "lacks: " << text << "\nin: " << end.err;
    }
    EXPECT_EQ(end.err.find("internal error"), std::string::npos) << end.err;
  }

  ProgramFolder folder_;
  std::map<std::string, std::string> whole_;
};

TEST_F(DamageTest, ASecondRunDoesNothingAndSaysSo) {
  const ProgramEnd end = folder_.Run({"run", "recipe.yaml", "--json"});
  ASSERT_EQ(end.status, 0) << end.err;
  EXPECT_TRUE(end.json().at("did_nothing").get<bool>());
  EXPECT_EQ(Results(), whole_);
  EXPECT_NE(folder_.Run(RunSmall()).out.find("nothing to do"), std::string::npos);
}

TEST_F(DamageTest, ADryRunTouchesNothing) {
  const ProgramFolder fresh;
  fresh.Write("recipe.yaml", SmallRecipe());
  const ProgramEnd end = fresh.Run({"run", "recipe.yaml", "--dry-run", "--json"});
  ASSERT_EQ(end.status, 0) << end.err;
  EXPECT_EQ(end.json().at("stages").at(0).at("status"), "to do");
  EXPECT_TRUE(fresh.Digests({"artifacts", "lake", "runs"}).empty());
  EXPECT_FALSE(fs::exists(fresh.home() / "registry.sqlite"));
}

TEST_F(DamageTest, ForcingAStageMakesItAndWhatFollowsAgainWithTheSameBytes) {
  const ProgramEnd end = folder_.Run({"run", "recipe.yaml", "--force", "train", "--json"});
  ASSERT_EQ(end.status, 0) << end.err;
  const Json document = end.json();
  for (const Json& stage : document.at("stages")) {
    const std::string name = stage.at("stage");
    const bool before = name == "collect" || name == "audit" || name == "features" ||
                        name == "dataset" || name == "trials";
    EXPECT_EQ(stage.at("status"), before ? "complete" : "made") << name;
  }
  EXPECT_EQ(Results(), whole_);
}

TEST_F(DamageTest, ATruncatedFileOfEveryArtifactIsMadeAgain) {
  for (const char* stage :
       {"audit", "features", "dataset", "train", "evaluate", "backtest", "report"}) {
    SCOPED_TRACE(stage);
    const std::vector<fs::path> files = Find(std::string("artifacts/") + stage, "");
    for (const fs::path& file : files) {
      if (file.filename() != "manifest.json") CutInHalf(file);
    }
    ExpectMade(1);
  }
}

TEST_F(DamageTest, ManifestsThatAreMissingOrJunkAreMadeAgain) {
  for (const std::string& content : {std::string(), std::string("{"), std::string("[]"),
                                     std::string(R"({"files": 5, "hash": 3})"),
                                     std::string(R"({"hash": "x", "files": [{"path": 7}]})")}) {
    SCOPED_TRACE(content);
    for (const fs::path& file : Find("artifacts/train", "/manifest.json")) {
      if (file.parent_path().parent_path().filename() == "train") Overwrite(file, content);
    }
    ExpectMade(2);
  }
  for (const fs::path& file : Find("artifacts/evaluate", "/manifest.json")) fs::remove(file);
  ExpectMade(1);
}

TEST_F(DamageTest, AManifestWhoseFileListIsJunkIsMadeAgain) {
  const fs::path file = Find("artifacts/evaluate", "/manifest.json").front();
  Json manifest = Json::parse(ReadFile(file));
  const std::vector<Json> lists = {Json(5), Json::array({"x"}), Json::array({Json::object()}),
                                   Json::array({{{"path", 1}, {"bytes", "x"}}})};
  for (const Json& list : lists) {
    SCOPED_TRACE(list.dump());
    manifest["files"] = list;
    Overwrite(file, manifest.dump());
    ExpectMade(1);
  }
}

TEST_F(DamageTest, ARunFolderThatWasDeletedComesBack) {
  fs::remove_all(folder_.home() / "runs");
  ExpectMade(0);
}

TEST_F(DamageTest, ATruncatedLakeFileIsNamed) {
  const fs::path file = Find("lake/candles", ".parquet").front();
  CutInHalf(file);
  for (const Words& arguments : {RunSmall(), Words{"data", "show"}, Words{"data", "audit"}}) {
    SCOPED_TRACE(arguments.back());
    ExpectRefused(arguments, 3, {"symbol=AAA", file.filename().string(), "delete the file"});
    const ProgramEnd end = folder_.Run(arguments);
    EXPECT_EQ(end.err.find("/proc/self/fd"), std::string::npos) << end.err;
  }
}

TEST_F(DamageTest, ALakeFileThatIsNoParquetIsNamed) {
  const fs::path file = Find("lake/candles", ".parquet").front();
  Overwrite(file, "this was written by another program");
  ExpectRefused(RunSmall(), 3, {"symbol=AAA", file.filename().string()});
  ExpectRefused({"data", "audit"}, 3, {"symbol=AAA", file.filename().string()});
}

TEST_F(DamageTest, TheStateOfABackfillThatIsJunkIsNamedWithWhatToDo) {
  const fs::path file = Find("lake/coverage", ".json").front();
  Overwrite(file, "{\"asked\": ");
  ExpectRefused(RunSmall(), 3, {file.string(), "delete the file"});
  fs::remove(file);
  // Asked again, the same bars come.
  ASSERT_EQ(folder_.Run(RunSmall()).status, 0);
  EXPECT_EQ(Results(), whole_);
}

TEST_F(DamageTest, ARegistryThatIsNoDatabaseIsNamedWithWhatToDo) {
  Overwrite(folder_.home() / "registry.sqlite", "junk, and enough of it to be no empty database");
  ExpectRefused(RunSmall(), 3, {"registry.sqlite", "not a SQLite database", "move it away"});
  ExpectRefused({"models", "list"}, 3, {"registry.sqlite"});
  const ProgramEnd doctor = folder_.Run({"doctor", "--json"});
  EXPECT_EQ(doctor.status, 1);
  bool found = false;
  for (const Json& finding : doctor.json()) {
    found = found || (finding.at("subject") == "registry" && finding.at("state") == "BAD");
  }
  EXPECT_TRUE(found) << doctor.out;
}

// Bars whose open, high, low and close contradict each other are kept as they came, shown by the
// audit, and stop a run.
TEST(UnsoundDataTest, StopsTheRunUnlessTheRecipeSaysOtherwise) {
  const ProgramFolder folder;
  std::string csv = GoodCsv(400);
  const std::string line = "1704074400000,104,107,103,105,6\n";
  ASSERT_NE(csv.find(line), std::string::npos);
  csv.replace(csv.find(line), line.size(), "1704074400000,104,90,110,105,6\n");
  folder.Write("AAA.csv", csv);
  ASSERT_EQ(folder.Run({"data", "import", "AAA.csv"}).status, 0);
  const Json audit = folder.Run({"data", "audit", "--json"}).json();
  EXPECT_EQ(audit.at(0).at("ohlc_violations"), 1);
  EXPECT_EQ(audit.at(0).at("sound"), false);

  std::string recipe = SmallRecipe();
  const auto replace = [&](const std::string& from, const std::string& to) {
    recipe.replace(recipe.find(from), from.size(), to);
  };
  replace("simulator", "lake");
  replace("timeframe: 1h", "timeframe: 30m");
  replace("  from: 2023-01-01\n  to: 2023-04-01\n", "");
  folder.Write("recipe.yaml", recipe);
  const ProgramEnd end = folder.Run(RunSmall());
  EXPECT_EQ(end.status, 3) << end.err;
  for (const char* text : {"import AAA 30m", "the series is not sound", "2024-01-01T02:00:00Z",
                           "set data.on_unsound to warn"}) {
    EXPECT_NE(end.err.find(text), std::string::npos) << text << "\n" << end.err;
  }
  EXPECT_TRUE(folder.Digests({"artifacts", "runs"}).empty());
  EXPECT_EQ(folder.Run({"run", "recipe.yaml", "--set", "data.on_unsound=warn"}).status, 0);
}

TEST(SkippedLinesTest, AreCounted) {
  const ProgramFolder folder;
  folder.Write("AAA.csv", GoodCsv(50) + "x,1,2,1,1,1\n1704067200000,9,9,9,9,9\n");
  const ProgramEnd end = folder.Run({"data", "import", "AAA.csv", "--on-bad", "skip", "--json"});
  ASSERT_EQ(end.status, 0) << end.err;
  EXPECT_EQ(end.json().at("bad_line_count"), 2);
  EXPECT_EQ(end.json().at("bad_lines").at(0).at("line"), 52);
  EXPECT_EQ(end.json().at("series").at(0).at("bars"), 50);
  const ProgramEnd spoken = folder.Run({"data", "import", "AAA.csv", "--on-bad", "skip"});
  EXPECT_NE(spoken.out.find("2 bad lines were skipped"), std::string::npos) << spoken.out;
  EXPECT_NE(spoken.err.find("AAA.csv:52: 'x' is not a time"), std::string::npos) << spoken.err;
}

}  // namespace
}  // namespace almanac
