// Wrong uses, a row each: what is done, with which status the program ends, and what the message
// must say. After every row nothing may be half-written. The vendors' answers are in
// vendor_answers_test.cc.
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "almanac/cli/program_for_test.h"

namespace almanac {
namespace {

using Words = std::vector<std::string>;

struct File {
  std::string name, content;
};

struct WrongUse {
  std::string name;
  std::vector<File> files;
  Words arguments;
  int status;
  Words says;  // each must be in the message
  // Commands that must succeed before, in the same home.
  std::vector<Words> before = {};
};

// For the name of a failed test.
void PrintTo(const WrongUse& row, std::ostream* out) { *out << row.name; }

std::string Gzip(const std::string& text) {
  std::string packed(text.size() + 1024, '\0');
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string Zstd(const std::string& text) {
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 3));
  return packed;
}

std::string FirstHalf(std::string text) {
  text.resize(text.size() / 2);
  return text;
}

// `text` with its line `number` (from 1) replaced.
std::string WithLine(const std::string& text, int number, const std::string& line) {
  size_t begin = 0;
  for (int i = 1; i < number; ++i) begin = text.find('\n', begin) + 1;
  return text.substr(0, begin) + line + text.substr(text.find('\n', begin));
}

File Recipe(int line, const std::string& text) {
  return {"recipe.yaml", WithLine(SmallRecipe(), line, text)};
}
File GoodRecipe() { return {"recipe.yaml", SmallRecipe()}; }

// The small recipe, run with one value replaced.
WrongUse Set(std::string name, const std::string& value, int status, Words says) {
  return {std::move(name),
          {GoodRecipe()},
          {"run", "recipe.yaml", "--set", value},
          status,
          std::move(says)};
}

// One file that cannot be imported.
WrongUse Import(std::string name, File file, int status, Words says, const Words& flags = {}) {
  Words arguments = {"data", "import", file.name};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  return {std::move(name), {std::move(file)}, arguments, status, std::move(says)};
}

Words ImportGood() { return {"data", "import", "AAA.csv"}; }

std::vector<WrongUse> CommandLines() {
  return {
      {"UnknownCommand", {}, {"runn"}, 2, {"\"runn\" is not a command", "did you mean \"run\"?"}},
      {"CommandWithNothingNear", {}, {"xyzzy"}, 2, {"the commands are run, data, features"}},
      {"UnknownSubcommand", {}, {"data", "imprt"}, 2, {"almanac data", "did you mean \"import\"?"}},
      {"SubcommandMissing", {}, {"data"}, 2, {"needs a command", "import, show, audit"}},
      {"UnknownFlag",
       {},
       {"data", "show", "--timefram", "1h"},
       2,
       {"\"--timefram\" is not an option", "\"--timeframe\""}},
      {"UnknownFlagBesideWhatIsMissing",
       {},
       {"run", "--dryrun"},
       2,
       {"did you mean \"--dry-run\"?"}},
      {"ArgumentMissing", {}, {"run"}, 2, {"almanac run: RECIPE is required"}},
      {"FlagWithoutItsValue",
       {},
       {"data", "backfill", "binance", "X", "--home", "home", "--timeframe"},
       2,
       {"--timeframe: 1 required"}},
      {"ThreadsNotANumber", {}, {"models", "list", "--threads", "many"}, 2, {"--threads", "many"}},
      {"TooManyRuns", {}, {"models", "list", "--runs", "-1"}, 2, {"--runs", "-1"}},
      {"HomeBelowAFile",
       {{"file", "x"}},
       {"data", "show", "--home", "file/home"},
       2,
       {"--home", "/file is not a folder", "name a folder"}},
      {"HomeIsAFile",
       {{"file", "x"}},
       {"run", "recipe.yaml", "--home", "file"},
       2,
       {"/file is not a folder"}},
      {"UnknownFamilyAskedFor",
       {},
       {"features", "list", "--family", "log_retrun"},
       2,
       {"--family log_retrun", "did you mean \"log_return\"?"}},
      {"UnknownSetAskedFor",
       {},
       {"features", "list", "--set", "alpha185"},
       2,
       {"unknown set \"alpha185\"", "did you mean \"alpha158\"?"}},
      {"DdlOfNothing", {}, {"data", "ddl"}, 2, {"--athena is required"}},
      {"DdlElsewhere",
       {},
       {"data", "ddl", "--athena", "--location", "ftp://host/lake"},
       2,
       {"ftp://host/lake: is not a location in S3", "s3://bucket/prefix/lake"}},
      {"DdlThatBreaksOutOfItsQuotes",
       {},
       {"data", "ddl", "--athena", "--location", "s3://b'/l"},
       2,
       {"is not a location in S3"}},
  };
}

std::vector<WrongUse> Recipes() {
  return {
      {"RecipeMissing", {}, {"run", "nope.yaml"}, 2, {"nope.yaml: there is no such file"}},
      {"RecipeIsAFolder", {{"folder/x", ""}}, {"run", "folder"}, 2, {"is a folder; a YAML file"}},
      {"RecipeEmpty",
       {{"recipe.yaml", ""}},
       {"run", "recipe.yaml"},
       2,
       {"recipe.yaml", "(data): is missing"}},
      {"RecipeNotText",
       {{"recipe.yaml", std::string("\xff\xfe\0bin", 6)}},
       {"run", "recipe.yaml"},
       2,
       {"recipe.yaml:1", "UTF-8"}},
      {"YamlMalformed",
       {Recipe(4, "  symbols: [AAA")},
       {"run", "recipe.yaml"},
       2,
       {"recipe.yaml:5", "is not valid YAML"}},
      {"KeyTwice",
       {Recipe(5, "  source: lake")},
       {"run", "recipe.yaml"},
       2,
       {"recipe.yaml:5", "source"}},
      {"UnknownKey", {Recipe(5, "  timefram: 1h")}, {"run", "recipe.yaml"}, 2, {"data.timeframe"}},
      {"UnknownSection",
       {Recipe(19, "reports: {pictures: false}")},
       {"run", "recipe.yaml"},
       2,
       {"recipe.yaml:19 (reports): is not a known key", "did you mean \"report\"?"}},
      {"UnknownKeyOfAModel",
       {Recipe(15, "  - {kind: ridge, lamda: 1}")},
       {"run", "recipe.yaml"},
       2,
       {"recipe.yaml:15 (models[1].lamda)", "did you mean \"lambda\"?"}},
      {"SectionIsText",
       {Recipe(11, "target: soon")},
       {"run", "recipe.yaml"},
       2,
       {"recipe.yaml:11 (target)", "\"soon\"", "a mapping of keys is needed"}},
      {"UnknownEnvironment",
       {GoodRecipe(), {"environments/staging.yaml", "report: {pictures: false}\n"}},
       {"run", "recipe.yaml", "--env", "stagin"},
       2,
       {"--env stagin", "did you mean \"staging\"?"}},
      {"NoEnvironments",
       {GoodRecipe()},
       {"run", "recipe.yaml", "--env", "staging"},
       2,
       {"holds no environments"}},
      {"OverlayWrong",
       {GoodRecipe(), {"environments/ci.yaml", "data:\n  symbols: 7x7\n  to: never\n"}},
       {"run", "recipe.yaml", "--env", "ci"},
       2,
       {"ci.yaml:3 (data.to)", "\"never\"", "a time such as"}},
      {"UnknownStageForced",
       {GoodRecipe()},
       {"run", "recipe.yaml", "--force", "traim"},
       2,
       {"--force traim", "did you mean \"train\"?"}},
      {"UnknownStageLast",
       {GoodRecipe()},
       {"run", "recipe.yaml", "--until", "profit"},
       2,
       {"there is no such stage", "collect, audit, features, dataset, train"}},
      Set("SetWithoutValue", "data.symbols", 2, {"--set data.symbols", "has no \"=\""}),
      Set("SetUnknownKey", "dat.source=lake", 2,
          {"--set dat.source=lake", "did you mean \"data\"?"}),
      Set("SetMalformed", "data.symbols=[A", 2, {"--set data.symbols=[A"}),
      Set("TimeframeUnknown", "data.timeframe=7m", 2, {"\"7m\" is not a timeframe", "1m 3m 5m"}),
      Set("SourceUnknown", "data.source=binanse", 2, {"did you mean \"binance\"?", "one of lake"}),
      Set("SymbolsMissing", "data.symbols=[]", 2, {"data.symbols=[]: is empty"}),
      Set("SymbolTwice", "data.symbols=[A, A]", 2, {"names A twice"}),
      Set("SymbolThatIsNone", "data.symbols=[../../x y]", 2,
          {"data.symbols", "\"../../x y\" is no symbol"}),
      Set("FromAfterTo", "data.from=2024-01-01", 2,
          {"recipe.yaml:7 (data.to)", "is not after from"}),
      Set("FromNoTime", "data.from=yesterday", 2, {"\"yesterday\"", "a time such as 2024-01-31"}),
      Set("BeforeTheSimulatedMarket", "data.from=1990-01-01", 2, {"it began on 2020-01-01"}),
      Set("MarketOfTheSimulator", "data.market=nyse", 2, {"cannot be chosen for the simulator"}),
      Set("FillUnknown", "data.fill=linear", 2, {"\"linear\"", "one of none, forward"}),
      Set("CalendarUnknown", "data.calendar=moon", 2, {"\"moon\"", "24/7, us-equities"}),
      Set("SeedNegative", "data.simulator.seed=-1", 2, {"\"-1\"", "at least 0"}),
      Set("VolatilityZero", "data.simulator.annual_volatility=0", 2, {"a number above 0"}),
      Set("NoFeatures", "features=[]", 2, {"no features", "[{family: log_return"}),
      Set("FamilyUnknown", "features=[{family: log_retrun, windows: [1]}]", 2,
          {"features[0].family", "did you mean \"log_return\"?"}),
      Set("WindowZero", "features=[{family: log_return, windows: [3, 0]}]", 2,
          {"features[0].windows[1]", "from 1 to"}),
      Set("WindowsMissing", "features=[{family: log_return}]", 2, {"windows: [12, 48]"}),
      Set("TargetUnknown", "target.kind=forwrd_return", 2, {"did you mean \"forward_return\"?"}),
      Set("TargetEveryStep", "target.every_step=true", 2,
          {"target.every_step", "only networks do", "leave it out"}),
      Set("HorizonZero", "target.horizon=0", 2, {"\"0\"", "from 1 to"}),
      Set("HorizonText", "target.horizon=soon", 2, {"\"soon\"", "a whole number"}),
      Set("ShareAboveOne", "split.test=2", 2, {"\"2\"", "from 0 to 1"}),
      Set("SharesLeaveNoTraining", "split.test=0.9", 2,
          {"recipe.yaml:12 (split)", "together below 1"}),
      Set("ShareBesideADate", "split.validation_from=2023-02-01", 2, {"a share beside a date"}),
      Set("NoModels", "models=[]", 2, {"names no model", "{kind: ridge}"}),
      Set("ModelUnknown", "models=[{kind: rigde}]", 2,
          {"models[0].kind", "did you mean \"ridge\"?"}),
      Set("ModelsOfOneName", "models=[{kind: ridge}, {kind: ridge}]", 2,
          {"models[1]", "a second model is called \"ridge\"", "a name of its own"}),
      Set("ModelNameThatIsAPath", "models=[{kind: ridge, name: ../up}]", 2,
          {"\"../up\" is not a name"}),
      Set("LambdaNegative", "models=[{kind: ridge, lambda: -1}]", 2,
          {"models[0].lambda", "at least 0"}),
      Set("ReplicatesNegative", "evaluate.replicates=-5", 2, {"\"-5\"", "from 0 to 100000"}),
      Set("ConfidenceOne", "evaluate.confidence=1", 2, {"from 0.5 to 0.999"}),
      Set("TradesAModelThatIsNot", "backtest.models=[ridg]", 2,
          {"there is no model called \"ridg\"", "did you mean \"ridge\"?"}),
      Set("FeeNegative", "backtest.fee_bps=-1", 2, {"from 0 to 1000"}),
      Set("ThresholdNotANumber", "backtest.threshold=.nan", 2, {".nan", "a number from 0 to 1"}),
      Set("CapitalZero", "backtest.capital=0", 2, {"a number above 0"}),
      Set("PicturesMaybe", "report.pictures=maybe", 2, {"\"maybe\"", "true or false"}),
      Set("CollectListIncomplete", "collect=[{source: simulator}]", 2,
          {"collect[0].symbols", "missing"}),
      {"CollectWithoutAList", {GoodRecipe()}, {"data", "collect", "recipe.yaml"}, 2, {"collect"}},
  };
}

std::vector<WrongUse> Imports() {
  const std::string good = GoodCsv(20);
  const std::string earnings = "symbol,date,eps_estimate,eps_actual\n";
  return {
      {"ImportMissingFile",
       {},
       {"data", "import", "nope.csv"},
       2,
       {"nope.csv: there is no such file"}},
      {"ImportNothing", {}, {"data", "import"}, 2, {"PATHS is required"}},
      {"ImportFolderWithoutData",
       {{"folder/readme.md", "x"}},
       {"data", "import", "folder"},
       3,
       {"folder"}},
      Import("ImportEmptyFile", {"AAA.csv", ""}, 3, {"AAA.csv: the file is empty", "nothing was"}),
      Import("ImportHeaderLacksColumns", {"AAA.csv", "time,price\n1704067200000,5\n"}, 3,
             {"AAA.csv:1", "no column for open, high, low, close, volume", "'price'", "--column"}),
      Import("ImportBadNumber", {"AAA.csv", WithLine(good, 5, "1704072600000,1,2,1,abc,3")}, 3,
             {"AAA.csv:5: the close 'abc' is not a finite number", "--on-bad skip"}),
      Import("ImportNegativePrice", {"AAA.csv", WithLine(good, 5, "1704072600000,1,2,-1,1,3")}, 3,
             {"AAA.csv:5: the low -1 is not above 0"}),
      Import("ImportNotANumber", {"AAA.csv", WithLine(good, 5, "1704072600000,nan,2,1,1,3")}, 3,
             {"AAA.csv:5: the open 'nan' is not a finite number"}),
      Import("ImportTooFewFields", {"AAA.csv", WithLine(good, 7, "1704076200000,1,2")}, 3,
             {"AAA.csv:7", "3 fields where 6 are due"}),
      Import("ImportBadTime", {"AAA.csv", WithLine(good, 4, "then,1,2,1,1,3")}, 3,
             {"AAA.csv:4", "'then' is not a time"}),
      Import("ImportOffTheGrid", {"AAA.csv", WithLine(good, 4, "1704070800001,1,2,1,1,3")}, 3,
             {"AAA.csv:4", "is not on the grid of 30m bars"}),
      Import("ImportContradictoryRepeat", {"AAA.csv", good + "1704067200000,1,2,1,1,3\n"}, 3,
             {"AAA.csv:22", "other values than on line 2"}),
      Import("ImportTimeframeContradicted", {"AAA-1h.csv", GoodCsv(40)}, 3,
             {"'AAA-1h.csv' says 1h bars", "mostly 30m apart", "--timeframe"}),
      Import("ImportTruncatedGzip", {"AAA.csv.gz", FirstHalf(Gzip(GoodCsv(500)))}, 3,
             {"AAA.csv.gz:", "the gzip data ends too early"}),
      Import("ImportTruncatedZstd", {"AAA.csv.zst", FirstHalf(Zstd(GoodCsv(500)))}, 3,
             {"AAA.csv.zst:", "the zstd data ends too early"}),
      Import("ImportGarbage", {"AAA.bin", std::string("\x89PNG\r\n\x1a\n\0\1\2\3", 12)}, 3,
             {"AAA.bin:1"}),
      Import("ImportJsonNotClosed", {"AAA.json", "[[1704067200000,\"1\",\"2\""}, 3,
             {"AAA.json:1", "the JSON array is not closed"}, {"--timeframe", "30m"}),
      Import("ImportJsonInsideAnObject", {"AAA.json", "{\"result\": []}"}, 3,
             {"AAA.json:1", "must be one array of bars"}),
      Import("ImportUnknownField", {"AAA.csv", good}, 2, {"no field 'opne'", "time, open, high"},
             {"--column", "opne=open"}),
      Import("ImportUnknownColumn", {"AAA.csv", good}, 3,
             {"there is no column 'begin'", "'timestamp_ms'"}, {"--column", "open=begin"}),
      Import("ImportColumnWithoutName", {"AAA.csv", good}, 2,
             {"--column open", "is not FIELD=COLUMN"}, {"--column", "open"}),
      Import("ImportUnknownTimeUnit", {"AAA.csv", good}, 2, {"'min'", "use one of s, ms, us, ns"},
             {"--time-unit", "min"}),
      Import("ImportWrongTimeUnit", {"AAA.csv", good}, 3,
             {"AAA.csv:2", "outside the years 1900 to 2199"}, {"--time-unit", "s"}),
      Import("ImportUnknownTimeframe", {"AAA.csv", good}, 2, {"'7m' is not a timeframe"},
             {"--timeframe", "7m"}),
      Import("ImportUnknownPolicy", {"AAA.csv", good}, 2, {"--on-bad", "maybe", "refuse,skip"},
             {"--on-bad", "maybe"}),
      Import("ImportUnknownKind", {"AAA.csv", good}, 2, {"--kind", "candels"},
             {"--kind", "candels"}),
      Import("ImportMarketThatIsNone", {"AAA.csv", good}, 2, {"'My Market'", "binance-spot"},
             {"--market", "My Market"}),
      Import("ImportSymbolThatIsNone", {"AAA.csv", good}, 2, {"'a b' is no symbol"},
             {"--symbol", "a b"}),
      Import("ImportSkipsTheWholeFile", {"AAA.csv", "time,price\n1,5\n"}, 3, {"AAA.csv"},
             {"--on-bad", "skip"}),
      Import("EarningsWithoutColumns", {"e.csv", "symbol,when\nA,2020-01-01\n"}, 3,
             {"e.csv:1", "no column for date, eps_estimate, eps_actual"}, {"--kind", "earnings"}),
      Import("EarningsBadDate", {"e.csv", earnings + "A,2020-13-01,1,2\n"}, 3,
             {"e.csv:2: '2020-13-01' is not a time"}, {"--kind", "earnings"}),
      Import("EarningsBadNumber", {"e.csv", earnings + "A,2020-02-01,1,2\nA,2020-05-01,x,2\n"}, 3,
             {"e.csv:3: the eps_estimate 'x'"}, {"--kind", "earnings"}),
  };
}

std::vector<WrongUse> Lakes() {
  const File good = {"AAA.csv", GoodCsv(48)};
  const File from_lake = {"recipe.yaml", WithLine(SmallRecipe(), 3, "  source: lake")};
  return {
      {"ShowOfAnEmptyLake", {}, {"data", "show", "AAA"}, 3, {"no series of AAA", "data import"}},
      {"AuditOfAnEmptyLake", {}, {"data", "audit", "AAA"}, 3, {"no series of AAA", "data import"}},
      {"ShowBadTime",
       {},
       {"data", "show", "--from", "yesterday"},
       2,
       {"--from: \"yesterday\"", "2024-01-31"}},
      {"ShowBadTimeframe",
       {},
       {"data", "show", "--timeframe", "9m"},
       2,
       {"'9m' is not a timeframe"}},
      {"ShowNoBars", {}, {"data", "show", "--bars", "0"}, 2, {"--bars"}},
      {"AuditBadCalendar",
       {},
       {"data", "audit", "--calendar", "moon"},
       2,
       {"'moon'", "us-equities"}},
      {"RunOnAnEmptyLake", {from_lake}, {"run", "recipe.yaml"}, 3, {"AAA", "data import"}},
      {"FeaturesOfAnEmptyLake", {from_lake}, {"features", "audit", "recipe.yaml"}, 3, {"AAA"}},
  };
}

std::vector<WrongUse> LakesWithSomething() {
  const File good = {"AAA.csv", GoodCsv(48)};
  const auto recipe = [](const std::string& symbol) {
    return File{"recipe.yaml", WithLine(WithLine(WithLine(SmallRecipe(), 3, "  source: lake"), 4,
                                                 "  symbols: [" + symbol + "]"),
                                        5, "  timeframe: 30m")};
  };
  return {
      {"ShowSymbolThatIsNot",
       {good},
       {"data", "show", "AAB"},
       3,
       {"no series of AAB", "there are AAA"},
       {ImportGood()}},
      {"AuditSymbolThatIsNot",
       {good},
       {"data", "audit", "AAA", "ZZZ"},
       3,
       {"no series of ZZZ", "there are AAA"},
       {ImportGood()}},
      {"ShowMarketThatIsNot",
       {good},
       {"data", "show", "--market", "moon"},
       3,
       {"no series matches"},
       {ImportGood()}},
      {"RunSymbolThatIsNot",
       {good, recipe("AAB")},
       {"run", "recipe.yaml"},
       3,
       {"AAB 30m", "is not in the lake", "AAA"},
       {ImportGood()}},
      {"RunOutsideTheRange",
       {good, recipe("AAA")},
       {"run", "recipe.yaml"},
       3,
       {"AAA 30m", "has no bars in the recipe's range", "2024-01-01T00:00:00Z"},
       {ImportGood()}},
  };
}

class WrongUseTest : public testing::TestWithParam<WrongUse> {
 protected:
  void SetUp() override {
    for (const File& file : GetParam().files) folder_.Write(file.name, file.content);
    for (const Words& arguments : GetParam().before) {
      const ProgramEnd end = folder_.Run(arguments);
      ASSERT_EQ(end.status, 0) << end.err;
    }
    before_ = folder_.Digests(kParts);
  }

  const Words kParts = {"lake", "artifacts", "runs"};
  ProgramFolder folder_;
  std::map<std::string, std::string> before_;
};

TEST_P(WrongUseTest, SaysWhatWasWrongAndLeavesNothingBehind) {
  const WrongUse& row = GetParam();
  const ProgramEnd end = folder_.Run(row.arguments);
  EXPECT_EQ(end.status, row.status) << end.err;
  EXPECT_EQ(end.signal, 0);
  for (const std::string& text : row.says) {
    EXPECT_NE(end.err.find(text), std::string::npos) << "lacks: " << text << "\nin: " << end.err;
  }
  EXPECT_EQ(end.err.find("internal error"), std::string::npos) << end.err;
  EXPECT_EQ(folder_.Digests(kParts), before_);
  EXPECT_EQ(folder_.Leftovers(), Words());
}

TEST_P(WrongUseTest, SaysItToMachinesToo) {
  const WrongUse& row = GetParam();
  Words arguments = row.arguments;
  arguments.insert(arguments.end(), {"--json", "--quiet"});
  const ProgramEnd end = folder_.Run(arguments);
  // A flag whose value is missing takes "--json" for it: then the message is for people.
  if (row.name == "FlagWithoutItsValue") return;
  const Json document = Json::parse(end.err, nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(document.is_object()) << end.err;
  const Json& error = document.at("error");
  EXPECT_EQ(error.at("status"), row.status);
  EXPECT_FALSE(error.at("where").get<std::string>().empty());
  EXPECT_FALSE(error.at("problem").get<std::string>().empty());
  EXPECT_EQ(end.out, "") << "nothing is a result";
}

std::string NameOf(const testing::TestParamInfo<WrongUse>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(CommandLine, WrongUseTest, testing::ValuesIn(CommandLines()), NameOf);
INSTANTIATE_TEST_SUITE_P(Recipe, WrongUseTest, testing::ValuesIn(Recipes()), NameOf);
INSTANTIATE_TEST_SUITE_P(Import, WrongUseTest, testing::ValuesIn(Imports()), NameOf);
INSTANTIATE_TEST_SUITE_P(EmptyLake, WrongUseTest, testing::ValuesIn(Lakes()), NameOf);
INSTANTIATE_TEST_SUITE_P(Lake, WrongUseTest, testing::ValuesIn(LakesWithSomething()), NameOf);

}  // namespace
}  // namespace almanac
