#include "almanac/report/markup.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "almanac/base/json.h"

namespace almanac {
namespace {

TEST(MarkupTest, EscapesForContentAndAttributes) {
  EXPECT_EQ(Escape("<b a=\"1\" c='2'>&amp;"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;");
  EXPECT_EQ(Escape("Zürich ▲"), "Zürich ▲");
  EXPECT_EQ(Escape(std::string_view("a\0b", 3)),
            "a\xEF\xBF\xBD"
            "b");
}

TEST(MarkupTest, JsonStringsSurviveAndHoldNoTag) {
  const std::string nasty = "</script><!-- \"quoted\" \\ \n\t\x01 Zürich";
  const std::string json = JsonString(nasty);
  EXPECT_EQ(json.find('<'), std::string::npos);
  EXPECT_EQ(Json::parse(json).get<std::string>(), nasty);
}

TEST(MarkupTest, MarksKeysAndComments) {
  EXPECT_EQ(YamlMarkup("a: 1 # why\n  - b: <x>\n# all\n"),
            "<span class=\"k\">a</span>: 1<span class=\"c\"> # why</span>\n"
            "  - <span class=\"k\">b</span>: &lt;x&gt;\n"
            "<span class=\"c\"># all</span>");
}

TEST(MarkupTest, QuotedHashIsNoComment) {
  EXPECT_EQ(YamlMarkup("a: \"x # y\""), "<span class=\"k\">a</span>: &quot;x # y&quot;");
  EXPECT_EQ(YamlMarkup("a:b # c"), "a:b<span class=\"c\"> # c</span>");
  EXPECT_EQ(YamlMarkup(""), "");
  EXPECT_EQ(YamlMarkup("- \n-"), "- \n-");
}

TEST(MarkupTest, YamlMarkupLosesNoText) {
  const std::string yaml = "a: {b: [1, 2]} # c\n\n  d-e.f:\n    - '#'\n    - g: \"</pre>\"\n";
  std::string text = YamlMarkup(yaml);
  for (const std::string tag : {"<span class=\"k\">", "<span class=\"c\">", "</span>"}) {
    for (size_t at = text.find(tag); at != std::string::npos; at = text.find(tag)) {
      text.erase(at, tag.size());
    }
  }
  EXPECT_EQ(text + "\n", Escape(yaml));
}

TEST(MarkupTest, TonesHaveWords) {
  EXPECT_EQ(ToneWords(Tone::kGood, "naive"), "better than naive");
  EXPECT_EQ(ToneWords(Tone::kCaution, "naive"), "no clear difference from naive");
  EXPECT_EQ(ToneWords(Tone::kBad, ""), "unfavourable");
  EXPECT_EQ(ToneWords(Tone::kNeutral, "naive"), "");
}

}  // namespace
}  // namespace almanac
