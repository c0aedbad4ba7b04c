#include "almanac/pipeline/yaml_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/base/config.h"
#include "almanac/base/random.h"

namespace almanac {
namespace {

Json ReadBack(const Json& document) {
  return ConfigDocument::Parse(ToYamlText(document), "text").ToJson();
}

// Words that YAML would take for something else, or that need quotes.
const std::vector<std::string>& Words() {
  static const std::vector<std::string> kWords = {
      "",        "ridge", "a b",   " lead",     "trail ", "a: b",       "#no",    "x #y",
      "- item",  "[1]",   "{a}",   "'q'",       "\"q\"",  "a\\b",       "a,b",    "*star",
      "&anchor", "!tag",  "%dir",  "@at",       "|",      ">",          "?",      ":",
      "-",       "~x",    "é日本", "line\nend", "\ttab",  "2024-01-31", "a\n\nb", "24/7",
      "30m",     "1e",    "0x1g",  "x: y: z",   "---x",   "BTC/USD",    "a'b\"c"};
  return kWords;
}

class DocumentMaker {
 public:
  explicit DocumentMaker(uint64_t seed) : random_(seed) {}

  Json Value(int depth) {
    const int kind = Below(depth > 0 ? 6 : 4);
    if (kind == 0) return Words()[static_cast<size_t>(Below(static_cast<int>(Words().size())))];
    if (kind == 1) return Below(2) == 0;
    if (kind == 2) return Below(2000001) - 1000000;
    if (kind == 3) return std::ldexp(random_.Uniform() + 0.5, Below(80) - 40);
    if (kind == 4) return Map(depth - 1);
    Json list = Json::array();
    const int size = Below(6);
    for (int i = 0; i < size; ++i) list.push_back(Value(depth - 1));
    return list;
  }
  Json Map(int depth) {
    Json map = Json::object();
    const int size = 1 + Below(5);
    for (int i = 0; i < size; ++i) map["key_" + std::to_string(Below(50))] = Value(depth);
    return map;
  }

 private:
  int Below(int limit) { return static_cast<int>(random_.Uniform() * limit); }
  Random random_;
};

TEST(YamlTextTest, ReadingTheTextGivesTheSameDocument) {
  constexpr uint64_t kDocuments = 400;
  for (uint64_t seed = 1; seed <= kDocuments; ++seed) {
    const Json document = DocumentMaker(seed).Map(3);
    ASSERT_EQ(ReadBack(document), document) << "seed " << seed << "\n" << ToYamlText(document);
  }
}

// Texts that look like a number or a truth value stay texts.
TEST(YamlTextTest, TextsStayTexts) {
  for (const char* text : {"1", "-2.5", "1e3", "0x10", "true", "false", "yes", "no", "on", "null",
                           "~", ".nan", ".inf", "007", "+1", "1_000", "Null", "TRUE"}) {
    const Json document = {{"value", text}, {"list", {text, text}}};
    EXPECT_EQ(ReadBack(document), document) << ToYamlText(document);
  }
}

TEST(YamlTextTest, ShortLeavesStandOnOneLine) {
  const Json document = {{"name", "x"}, {"data", {{"symbols", {"A", "B"}}, {"timeframe", "30m"}}}};
  EXPECT_EQ(ToYamlText(document), "name: x\ndata:\n  symbols: [A, B]\n  timeframe: 30m\n");
}

}  // namespace
}  // namespace almanac
