#include "almanac/base/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/random.h"
#include "almanac/base/test_folder.h"

namespace almanac {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kRecipe[] = R"(# a recipe
symbols: [BTCUSDT, ETHUSDT]
timeframe: 30m
from: 2024-01-31
model:
  kind: ridge
  lambda: 0.5
  windows: [1, 2, 3]
  enabled: true
costs:
stages:
  - name: one
    weight: 1
  - name: two
    weight: 2.5
)";

ConfigDocument Parse(std::string_view yaml, std::vector<std::string> sets = {}) {
  return ConfigDocument::Parse(yaml, "x.yaml", {{}, std::move(sets)});
}

std::string MessageOf(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage) << error.what();
    return error.what();
  }
  return "nothing was thrown";
}

TEST(ConfigTest, ReadsEveryType) {
  const ConfigDocument document = Parse(kRecipe);
  const ConfigNode root = document.root();
  EXPECT_THAT(root.Strings("symbols"), ElementsAre("BTCUSDT", "ETHUSDT"));
  EXPECT_THAT(root.Strings("timeframe"), ElementsAre("30m"));
  EXPECT_EQ(root.Duration("timeframe"), 30 * kMsPerMinute);
  EXPECT_EQ(root.Time("from"), 1706659200000);
  const ConfigNode model = root.Map("model");
  EXPECT_EQ(model.Choice("kind", {"naive", "ridge"}), "ridge");
  EXPECT_EQ(model.Double("lambda", Range<double>::AtLeast(0)), 0.5);
  EXPECT_THAT(model.Ints("windows", {}, {}), ElementsAre(1, 2, 3));
  EXPECT_THAT(model.Doubles("lambda", {}, {}), ElementsAre(0.5));
  EXPECT_TRUE(model.Bool("enabled"));
  const std::vector<ConfigNode> stages = root.Maps("stages");
  ASSERT_EQ(stages.size(), 2u);
  EXPECT_EQ(stages[0].Int("weight"), 1);
  EXPECT_EQ(stages[1].Double("weight"), 2.5);
  EXPECT_EQ(stages[1].String("name"), "two");
  EXPECT_THAT(model.Keys(), ElementsAre("kind", "lambda", "windows", "enabled"));
}

TEST(ConfigTest, WhatIsMissingOrEmptyTakesItsDefault) {
  const ConfigDocument document = Parse(kRecipe);
  for (const ConfigNode& node :
       {document.root(), document.root().OptionalMap("costs"), document.root().OptionalMap("no")}) {
    EXPECT_FALSE(node.Has("costs"));
    EXPECT_EQ(node.String("costs", "d"), "d");
    EXPECT_EQ(node.Choice("costs", {"a"}, "d"), "d");
    EXPECT_EQ(node.Int("costs", 7, {}), 7);
    EXPECT_EQ(node.Double("costs", 1.5, {}), 1.5);
    EXPECT_TRUE(node.Bool("costs", true));
    EXPECT_EQ(node.Time("costs", 5), 5);
    EXPECT_EQ(node.Duration("costs", 6), 6);
    EXPECT_THAT(node.Strings("costs", {"a"}), ElementsAre("a"));
    EXPECT_THAT(node.Ints("costs", {1}, {}), ElementsAre(1));
    EXPECT_THAT(node.Doubles("costs", {1.5}, {}), ElementsAre(1.5));
    EXPECT_THAT(node.Maps("costs"), IsEmpty());
  }
  EXPECT_THAT(document.root().OptionalMap("no").Keys(), IsEmpty());
  EXPECT_EQ(document.root().OptionalMap("no").ToJson().dump(), "{}");
}

TEST(ConfigTest, NowIsATime) {
  const ConfigDocument document = Parse("to: now");
  const TimeMs before = Now();
  const TimeMs to = document.root().Time("to");
  EXPECT_GE(to, before);
  EXPECT_LE(to, Now());
}

// Each wrong value with the whole message that a user sees.
TEST(ConfigTest, ErrorsNameFileLineKeyFoundAndNeeded) {
  struct Case {
    const char* yaml;
    std::function<void(const ConfigNode&)> read;
    const char* message;
  };
  const auto real = [](const ConfigNode& n) { n.Map("m").Double("k", Range<double>::AtLeast(0)); };
  const auto whole = [](const ConfigNode& n) { n.Int("k", 1, Range<int64_t>::Between(1, 10)); };
  const auto any = [](const ConfigNode& n) { n.Int("k"); };
  const std::vector<Case> cases = {
      {"a: 1\nm:\n  k: abc", real, "x.yaml:3 (m.k): is \"abc\"; a number at least 0 is needed"},
      {"m: {k: -1e-9}", real, "x.yaml:1 (m.k): is \"-1e-9\"; a number at least 0 is needed"},
      {"m: {k: .nan}", real, "x.yaml:1 (m.k): is \".nan\"; a number at least 0 is needed"},
      {"m: {k: nan}", real, "x.yaml:1 (m.k): is \"nan\"; a number at least 0 is needed"},
      {"m: {k: .inf}", real, "x.yaml:1 (m.k): is \".inf\"; a number at least 0 is needed"},
      {"m: {k: 1e999}", real, "x.yaml:1 (m.k): is \"1e999\"; a number at least 0 is needed"},
      {"m: {k: 0x10}", real, "x.yaml:1 (m.k): is \"0x10\"; a number at least 0 is needed"},
      {"m: {k: [1]}", real, "x.yaml:1 (m.k): is a list; a number at least 0 is needed"},
      {"m: {k: {}}", real, "x.yaml:1 (m.k): is a mapping; a number at least 0 is needed"},
      {"\nm:\n  j: 1", real, "x.yaml:3 (m.k): is missing; a number at least 0 is needed"},
      {"m:\n  k:\n", real, "x.yaml:2 (m.k): is empty; a number at least 0 is needed"},
      {"n: 1", real, "x.yaml (m): is missing; a mapping of keys is needed"},
      {"m: 7", real, "x.yaml:1 (m): is \"7\"; a mapping of keys is needed"},
      {"k: 11", whole, "x.yaml:1 (k): is \"11\"; a whole number from 1 to 10 is needed"},
      {"k: 0", whole, "x.yaml:1 (k): is \"0\"; a whole number from 1 to 10 is needed"},
      {"k: 1e1", whole,
       "x.yaml:1 (k): is \"1e1\"; a whole number in plain digits from 1 to 10 is needed"},
      {"k: 1.0", any, "x.yaml:1 (k): is \"1.0\"; a whole number in plain digits is needed"},
      {"k: 0x1F", any, "x.yaml:1 (k): is \"0x1F\"; a whole number is needed"},
      {"k: 9223372036854775808", any,
       "x.yaml:1 (k): is \"9223372036854775808\"; a whole number of 64 bits is needed"},
      {"k: 0", [](const ConfigNode& n) { n.Double("k", Range<double>::Above(0)); },
       "x.yaml:1 (k): is \"0\"; a number above 0 is needed"},
      {"k: 2",
       [](const ConfigNode& n) {
         n.Double("k", 1, Range<double>{0, 1, true});
       },
       "x.yaml:1 (k): is \"2\"; a number above 0 and at most 1 is needed"},
      {"k: yes", [](const ConfigNode& n) { n.Bool("k"); },
       "x.yaml:1 (k): is \"yes\"; true or false is needed"},
      {"k: rigde",
       [](const ConfigNode& n) {
         n.Choice("k", {"naive", "drift", "ridge"});
       },
       "x.yaml:1 (k): is \"rigde\"; did you mean \"ridge\"? (one of naive, drift, ridge is "
       "needed)"},
      {"k: tree",
       [](const ConfigNode& n) {
         n.Choice("k", {"naive", "drift"}, "naive");
       },
       "x.yaml:1 (k): is \"tree\"; one of naive, drift is needed"},
      {"k: volume_of_yesterday",
       [](const ConfigNode& n) {
         std::vector<std::string> many = {"volume_rank"};
         for (int i = 0; i < 50; ++i) many.push_back("name_" + std::to_string(i));
         many.emplace_back("rank_of_volume");
         n.Choice("k", many);
       },
       "x.yaml:1 (k): is \"volume_of_yesterday\"; one of 52 names such as rank_of_volume, "
       "volume_rank, name_0, name_1, name_2, name_3, name_4, name_5 is needed"},
      {"k: 2024-02-30", [](const ConfigNode& n) { n.Time("k"); },
       "x.yaml:1 (k): is \"2024-02-30\"; a time such as 2024-01-31, 2024-01-31T13:05:00Z or now is "
       "needed"},
      {"k: 5 minutes", [](const ConfigNode& n) { n.Duration("k"); },
       "x.yaml:1 (k): is \"5 minutes\"; a duration such as 90s, 5m, 1h or 7d is needed"},
      {"k: [a, [b]]", [](const ConfigNode& n) { n.Strings("k"); },
       "x.yaml:1 (k[1]): is a list; a text is needed"},
      {"k:\n- 1\n- x", [](const ConfigNode& n) { n.Ints("k", {}, Range<int64_t>::AtLeast(1)); },
       "x.yaml:3 (k[1]): is \"x\"; a whole number at least 1 is needed"},
      {"k: {a: 1}", [](const ConfigNode& n) { n.Maps("k"); },
       "x.yaml:1 (k): is a mapping; a list of mappings is needed"},
      {"k:\n- a: 1\n- 2", [](const ConfigNode& n) { n.Maps("k"); },
       "x.yaml:3 (k[1]): is \"2\"; a mapping of keys is needed"},
      {"k:\n- a: 1\n- a: x", [](const ConfigNode& n) { n.Maps("k").at(1).Int("a"); },
       "x.yaml:3 (k[1].a): is \"x\"; a whole number is needed"},
  };
  for (const Case& c : cases) {
    const ConfigDocument document = Parse(c.yaml);
    EXPECT_EQ(MessageOf([&] { c.read(document.root()); }), c.message) << c.yaml;
  }
}

TEST(ConfigTest, LongValuesAreShortenedInErrors) {
  const ConfigDocument document = Parse("k: \"" + std::string(59, 'x') + "\u00e9\\nabc\"");
  EXPECT_EQ(MessageOf([&] { document.root().Int("k"); }),
            "x.yaml:1 (k): is \"" + std::string(59, 'x') + "...\"; a whole number is needed");
}

TEST(ConfigTest, UnknownKeysAreRefusedEverywhere) {
  struct Case {
    const char* yaml;
    const char* message;
  };
  const auto read_all = [](const ConfigDocument& document) {
    const ConfigNode root = document.root();
    root.Strings("symbols", {});
    const ConfigNode model = root.OptionalMap("model");
    model.String("kind", "");
    model.Double("lambda", 1, {});
    for (const ConfigNode& stage : root.Maps("stages")) stage.String("name", "");
    root.OptionalMap("free").ToJson();
    root.Has("opaque");
    document.RefuseUnknownKeys();
  };
  for (const Case& c : std::vector<Case>{
           {"model:\n  kind: ridge\n  lamda: 1",
            "x.yaml:3 (model.lamda): is not a known key; did you mean \"lambda\"? (known here: "
            "kind, lambda)"},
           {"symbols: [a]\nzzz: 1",
            "x.yaml:2 (zzz): is not a known key; known here: symbols, model, stages, free, opaque"},
           {"stages:\n- name: a\n- nmae: b",
            "x.yaml:3 (stages[1].nmae): is not a known key; did you mean \"name\"? (known here: "
            "name)"},
           {"opaque:\n  a: 1", "x.yaml:2 (opaque.a): is not a known key; no key is known here"},
           {"opaque: [[{a: 1}]]",
            "x.yaml:1 (opaque[0][0].a): is not a known key; no key is known here"}}) {
    const ConfigDocument document = Parse(c.yaml);
    EXPECT_EQ(MessageOf([&] { read_all(document); }), c.message);
  }
  const ConfigDocument good =
      Parse("symbols: [a]\nmodel: {kind: a, lambda: 2}\nstages: [{name: a}]\nfree: {x: {y: [1]}}");
  EXPECT_NO_THROW(read_all(good));
}

TEST(ConfigTest, MalformedDocumentsAreRefusedWithTheirLine) {
  struct Case {
    std::string yaml;
    const char* message;
  };
  const std::string twice = "m:\n  k: 1\n  j: 2\n  k: 3\n";
  for (const Case& c : std::vector<Case>{
           {twice, "x.yaml:4: the key \"k\" is given twice; it is first given at x.yaml:2"},
           {"a: 1\n b: 2\n", "x.yaml:2: is not valid YAML: illegal map value"},
           {"a:\n\tb: 1\n", "x.yaml:2: is not valid YAML: illegal map value"},
           {"a: 1\nb: \"x\nc: 2\n",
            "x.yaml:3: is not valid YAML: it ends inside a quotation or a bracket"},
           {"a: 'x", "x.yaml:1: is not valid YAML: it ends inside a quotation or a bracket"},
           {"a: [1, 2", "x.yaml:1: is not valid YAML: it ends inside a quotation or a bracket"},
           {"a: *b", "x.yaml:1: is not valid YAML: the referenced anchor is not defined"},
           {"a: 1\nb: &x [1, *x]\n",
            "x.yaml:2: an alias refers to the value that it is part of; write the value out"},
           {"a: &x {b: *x}\n",
            "x.yaml:1: an alias refers to the value that it is part of; write the value out"},
           {"{a: 1}\n,b: 2\n", "x.yaml:2: is not valid YAML: this cannot stand here"},
           {"- a\n", "x.yaml:1: is a list; a mapping is needed: lines of \"key: value\""},
           {"a=1", "x.yaml:1: is a text; a mapping is needed: lines of \"key: value\""},
           {"a: 1\n---\nb: 1",
            "x.yaml:3: a second YAML document begins; one document is read; check the indentation"},
           {"? [a]\n: 1", "x.yaml:1: a key is a list; a key is one word"},
           {"a: !!binary x",
            "x.yaml:1: has the YAML tag \"tag:yaml.org,2002:binary\"; tags other than !!str are "
            "not supported"},
           {"a: {<<: 1}",
            "x.yaml:1: YAML merge keys (<<) are not supported; write the keys out, or lay an "
            "overlay over this file"},
           {"a: 1\nb: \xff\n", "x.yaml:2: is not UTF-8 text; save the file as UTF-8"},
           {"a: 1\n\nb: \x04\n", "x.yaml:3: has the control character 0x04; YAML is text"},
           {std::string("a: 1\0b: 2", 9),
            "x.yaml:1: has the control character 0x00; YAML is text"}}) {
    EXPECT_EQ(MessageOf([&] { Parse(c.yaml); }), c.message) << c.yaml;
  }
}

TEST(ConfigTest, EmptyDocumentsAreEmptyMappings) {
  for (const char* yaml : {"", "# nothing\n", "---\n", "...\n", "~", "\xEF\xBB\xBF# mark\n"}) {
    EXPECT_EQ(Parse(yaml).ToJson().dump(), "{}") << yaml;
  }
}

TEST(ConfigTest, AliasesAreExpanded) {
  const ConfigDocument document = Parse("a: &x {k: 1}\nb: *x\nc: [*x, *x]\n");
  EXPECT_EQ(document.ToJson().dump(), R"({"a":{"k":1},"b":{"k":1},"c":[{"k":1},{"k":1}]})");
  // Each copy is a mapping of its own: a key known in one is not known in the other.
  document.root().Map("a").Int("k");
  document.root().Map("b");
  document.root().Has("c");
  EXPECT_THAT(MessageOf([&] { document.RefuseUnknownKeys(); }), HasSubstr("(b.k)"));
}

TEST(ConfigTest, AliasesThatMultiplyAreRefused) {
  std::string yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    yaml += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) yaml += (k > 0 ? ", " : "") + before;
    yaml += "]\n";
  }
  EXPECT_THAT(MessageOf([&] { Parse(yaml); }), HasSubstr("more than 100000 values"));
}

TEST(ConfigTest, DeepNestingIsRefusedOrRead) {
  EXPECT_THAT(MessageOf([] { Parse("a: " + std::string(100'000, '[')); }), HasSubstr("x.yaml:1"));
  std::string yaml;
  for (int i = 0; i < 3000; ++i) yaml += std::string(static_cast<size_t>(i), ' ') + "a:\n";
  EXPECT_THAT(MessageOf([&] { Parse(yaml); }), HasSubstr("x.yaml:"));
}

TEST(ConfigTest, JsonKeepsOrderAndTypes) {
  const ConfigDocument document = Parse(
      "z: 1\na: -0.5\nt: true\nf: false\nn:\nl: [1e3, x, ~]\nq: \"5\"\ns: '5'\nu: !!str 5\n"
      "y: yes\nbig: 9223372036854775808\nd: 2024-01-01\ni: .inf\n");
  EXPECT_EQ(document.ToJson().dump(),
            R"({"z":1,"a":-0.5,"t":true,"f":false,"n":null,"l":[1000.0,"x",null],"q":"5","s":"5",)"
            R"("u":"5","y":"yes","big":9.223372036854776e+18,"d":"2024-01-01","i":".inf"})");
}

TEST(ConfigTest, TextsAreKeptAsWritten) {
  const ConfigDocument document = Parse("k: [ON, NO, TRUE, 1e5, 007, \"a b\"]");
  EXPECT_THAT(document.root().Strings("k"), ElementsAre("ON", "NO", "TRUE", "1e5", "007", "a b"));
}

TEST(ConfigTest, PlacesAreForTheCallersOwnErrors) {
  const ConfigDocument document = Parse(kRecipe);
  EXPECT_EQ(document.root().Place(), "x.yaml");
  EXPECT_EQ(document.root().Place("timeframe"), "x.yaml:3 (timeframe)");
  EXPECT_EQ(document.root().Map("model").Place(), "x.yaml:6 (model)");
  EXPECT_EQ(document.root().Map("model").Place("lambda"), "x.yaml:7 (model.lambda)");
  EXPECT_EQ(document.root().Map("model").Place("none"), "x.yaml:6 (model.none)");
  EXPECT_EQ(document.root().Maps("stages")[1].Place("weight"), "x.yaml:15 (stages[1].weight)");
}

class OverlayTest : public testing::Test {
 protected:
  void SetUp() override {
    WriteFileAtomic(base_, kRecipe);
    WriteFileAtomic(overlay_, "model:\n  lambda: 2\n  extra: x\nsymbols: [SOLUSDT]\n");
  }
  ConfigDocument Load(std::vector<std::string> sets = {}) {
    return ConfigDocument::Load(base_, {{overlay_}, std::move(sets)});
  }
  TestFolder folder_;
  const std::filesystem::path base_ = folder_ / "base.yaml";
  const std::filesystem::path overlay_ = folder_ / "staging.yaml";
};

TEST_F(OverlayTest, MappingsMergeAndListsAreReplaced) {
  const ConfigDocument document = Load();
  EXPECT_THAT(document.root().Strings("symbols"), ElementsAre("SOLUSDT"));
  EXPECT_EQ(document.root().Map("model").Double("lambda"), 2.0);
  EXPECT_EQ(document.root().Map("model").String("kind"), "ridge");
  EXPECT_EQ(document.ToJson()["model"].dump(),
            R"({"kind":"ridge","lambda":2,"windows":[1,2,3],"enabled":true,"extra":"x"})");
}

TEST_F(OverlayTest, LaterOverlaysWin) {
  WriteFileAtomic(folder_ / "last.yaml", "model:\n  lambda: 3\n");
  const ConfigDocument document =
      ConfigDocument::Load(base_, {{overlay_, folder_ / "last.yaml"}, {}});
  EXPECT_EQ(document.root().Map("model").Double("lambda"), 3.0);
}

TEST_F(OverlayTest, AnEmptyKeyTakesTheDefaultBack) {
  WriteFileAtomic(overlay_, "model:\n  lambda:\n");
  const ConfigDocument document = Load();
  EXPECT_EQ(document.root().Map("model").Double("lambda", 9.0, {}), 9.0);
  EXPECT_EQ(MessageOf([&] { document.root().Map("model").Double("lambda"); }),
            overlay_.string() + ":2 (model.lambda): is empty; a number is needed");
}

TEST_F(OverlayTest, EachValueKeepsTheFileItCameFrom) {
  WriteFileAtomic(overlay_, "\nmodel:\n  lambda: much\n  extra: x\n");
  const ConfigDocument document = Load();
  const ConfigNode model = document.root().Map("model");
  EXPECT_EQ(MessageOf([&] { model.Double("lambda"); }),
            overlay_.string() + ":3 (model.lambda): is \"much\"; a number is needed");
  EXPECT_EQ(MessageOf([&] { model.Int("kind"); }),
            base_.string() + ":6 (model.kind): is \"ridge\"; a whole number is needed");
  for (const std::string& key : document.root().Keys()) {
    if (key != "model") document.root().Has(key);
  }
  document.root().Maps("stages").at(0).ToJson();
  document.root().Maps("stages").at(1).ToJson();
  for (const char* key : {"windows", "enabled"}) model.Has(key);
  EXPECT_EQ(MessageOf([&] { document.RefuseUnknownKeys(); }),
            overlay_.string() +
                ":4 (model.extra): is not a known key; known here: lambda, kind, windows, enabled");
}

TEST_F(OverlayTest, SetsGoLast) {
  const ConfigDocument document =
      Load({"model.lambda=7", "symbols=[A, B]", "costs.fee=0.1", "new.deep.key=\"x y\"",
            "model.windows=", "stages=[]", "note=a=b"});
  const ConfigNode root = document.root();
  EXPECT_EQ(root.Map("model").Int("lambda"), 7);
  EXPECT_THAT(root.Strings("symbols"), ElementsAre("A", "B"));
  EXPECT_EQ(root.Map("costs").Double("fee"), 0.1);
  EXPECT_EQ(root.Map("new").Map("deep").String("key"), "x y");
  EXPECT_FALSE(root.Map("model").Has("windows"));
  EXPECT_THAT(root.Maps("stages"), IsEmpty());
  EXPECT_EQ(root.String("note"), "a=b");
}

TEST_F(OverlayTest, SetsOfMappingsMerge) {
  const ConfigDocument document = Load({"model={lambda: 8, kind: naive}"});
  EXPECT_EQ(document.root().Map("model").Int("lambda"), 8);
  EXPECT_TRUE(document.root().Map("model").Bool("enabled"));
}

TEST_F(OverlayTest, ErrorsOfSetsNameTheArgument) {
  const std::string remedy = "; write it as --set KEY=VALUE, such as --set model.lambda=0.5";
  EXPECT_EQ(MessageOf([&] { Load({"model.lambda"}); }),
            "--set model.lambda: has no \"=\"" + remedy);
  for (const char* set : {"=1", "a..b=1", ".a=1", "a.=1", "a .b=1", " a=1"}) {
    EXPECT_EQ(MessageOf([&] { Load({set}); }),
              std::string("--set ") + set + ": has an empty part or a space in its key" + remedy);
  }
  EXPECT_EQ(MessageOf([&] { Load({"timeframe.x=1"}); }),
            "--set timeframe.x=1: sets a key below timeframe, which is \"30m\" (" + base_.string() +
                ":3)" + remedy);
  EXPECT_THAT(MessageOf([&] { Load({"stages.0=1"}); }), HasSubstr("which is a list"));
  EXPECT_THAT(MessageOf([&] { Load({"a=[1, 2"}); }), HasSubstr("--set a=[1, 2: is not valid YAML"));
  EXPECT_EQ(MessageOf([&] { Load({"model.lambda=abc"}).root().Map("model").Double("lambda"); }),
            "--set model.lambda=abc: is \"abc\"; a number is needed");
  EXPECT_EQ(MessageOf([&] { Load({"model={lambda: abc}"}).root().Map("model").Double("lambda"); }),
            "--set model={lambda: abc} (model.lambda): is \"abc\"; a number is needed");
  const ConfigDocument document = ConfigDocument::Parse("", "x", {{}, {"modle.kind=a"}});
  document.root().OptionalMap("model");
  EXPECT_EQ(MessageOf([&] { document.RefuseUnknownKeys(); }),
            "--set modle.kind=a (modle): is not a known key; did you mean \"model\"? (known here: "
            "model)");
}

TEST_F(OverlayTest, FilesThatCannotBeReadAreNamed) {
  EXPECT_EQ(MessageOf([&] { ConfigDocument::Load(folder_ / "nothing-like-it.yaml"); }),
            (folder_ / "nothing-like-it.yaml").string() + ": there is no such file");
  EXPECT_EQ(
      MessageOf([&] { ConfigDocument::Load(folder_ / "bsae.yaml"); }),
      (folder_ / "bsae.yaml").string() + ": there is no such file; did you mean \"base.yaml\"?");
  EXPECT_EQ(MessageOf([&] { ConfigDocument::Load(folder_.path()); }),
            folder_.path().string() + ": is a folder; a YAML file is needed");
  EXPECT_THAT(MessageOf([&] {
                ConfigDocument::Load(base_, {{folder_ / "no.yaml"}, {}});
              }),
              HasSubstr("no.yaml: there is no such file"));
  std::filesystem::resize_file(overlay_, (uintmax_t{16} << 20) + 1);
  EXPECT_THAT(MessageOf([&] { ConfigDocument::Load(overlay_); }), HasSubstr("larger than 16 MiB"));
}

TEST(ConfigFuzzTest, DamagedDocumentsGiveErrorsOrDocuments) {
  constexpr std::string_view kLetters = "abk:{}[],-&*!|>'\"%@#?~ \n\t<.0x\\\xC3\xA9";
  Random random(31);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string yaml = i % 3 == 0 ? "" : kRecipe;
    const uint64_t changes = 1 + random.Below(12);
    for (uint64_t change = 0; change < changes; ++change) {
      const size_t at = random.Below(yaml.size() + 1);
      const char letter = kLetters[random.Below(kLetters.size())];
      const size_t gone = std::min<size_t>(random.Below(3), yaml.size() - at);
      yaml.replace(at, gone, random.Below(4) == 0 ? "" : std::string(1, letter));
    }
    try {
      const ConfigDocument document = Parse(yaml);
      (void)document.ToJson().dump();
      document.root().Strings("symbols", {});
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::kUsage) << error.what();
      ASSERT_THAT(error.what(), HasSubstr("x.yaml"));
      ++refused;
    }
  }
  EXPECT_GT(refused, 500);
}

TEST(ConfigFuzzTest, DamagedSetsGiveErrorsOrDocuments) {
  constexpr std::string_view kLetters = "ab.=:{}[],-&*!|'\"# \n<0";
  Random random(32);
  for (int i = 0; i < 3000; ++i) {
    std::string set;
    for (uint64_t k = random.Below(10); k > 0; --k) set += kLetters[random.Below(kLetters.size())];
    try {
      Parse("a: {b: 1}", {set});
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::kUsage);
      ASSERT_THAT(error.what(), HasSubstr("--set "));
    }
  }
}

TEST(NearestWordTest, FindsSlips) {
  const std::vector<std::string> words = {"kind", "lambda", "windows", "horizon"};
  EXPECT_EQ(NearestWord("lamda", words), "lambda");
  EXPECT_EQ(NearestWord("lambdaa", words), "lambda");
  EXPECT_EQ(NearestWord("lambad", words), "lambda");  // two neighbours exchanged: one slip
  EXPECT_EQ(NearestWord("kidn", words), "kind");
  EXPECT_EQ(NearestWord("horizons", words), "horizon");
  EXPECT_EQ(NearestWord("kind", words), "kind");
}

TEST(NearestWordTest, DoesNotGuess) {
  EXPECT_EQ(NearestWord("alpha", {"kind", "lambda"}), std::nullopt);
  EXPECT_EQ(NearestWord("ab", {"ax"}), std::nullopt);  // a third of two letters is none
  EXPECT_EQ(NearestWord("", {"a"}), std::nullopt);
  EXPECT_EQ(NearestWord("a", {}), std::nullopt);
  EXPECT_EQ(NearestWord(std::string(100'000, 'a'), {"a"}), std::nullopt);
}

}  // namespace
}  // namespace almanac
