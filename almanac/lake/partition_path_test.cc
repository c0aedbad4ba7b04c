#include "almanac/lake/partition_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "almanac/base/error.h"
#include "almanac/base/random.h"

namespace almanac {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

TEST(PartitionPathTest, EscapesAsHiveDoes) {
  EXPECT_EQ(EscapePartition("BTCUSDT"), "BTCUSDT");
  EXPECT_EQ(EscapePartition("BTC/USD"), "BTC%2FUSD");
  EXPECT_EQ(EscapePartition("100%"), "100%25");
  EXPECT_EQ(EscapePartition("\"#%'*/:=?\\{[]^\x7f\x01\n"),
            "%22%23%25%27%2A%2F%3A%3D%3F%5C%7B%5B%5D%5E%7F%01%0A");
  EXPECT_EQ(EscapePartition("BRK.B a-b_c+d&e}~!@$,;<>|()"), "BRK.B a-b_c+d&e}~!@$,;<>|()");
  EXPECT_EQ(EscapePartition("币安"), "币安");
  EXPECT_EQ(PartitionPath({{"market", "x"}, {"symbol", "BTC/USD"}}), "market=x/symbol=BTC%2FUSD");
}

TEST(PartitionPathTest, ParsesWhatItWrites) {
  EXPECT_THAT(ParsePartitionPath("market=x/symbol=BTC%2FUSD", {"market", "symbol"}),
              Optional(ElementsAre("x", "BTC/USD")));
  EXPECT_THAT(ParsePartitionPath("market=x=y/symbol=%2f", {"market", "symbol"}),
              Optional(ElementsAre("x=y", "/")));
  for (const char* wrong : {"market=x", "symbol=x/market=y", "market=/symbol=x", "market=x/symbol",
                            "market=x/symbol=%2", "market=x/symbol=%GG", ""}) {
    EXPECT_FALSE(ParsePartitionPath(wrong, {"market", "symbol"})) << wrong;
  }
}

TEST(PartitionPathTest, EveryByteComesBack) {
  Random random(3);
  for (int i = 0; i < 1000; ++i) {
    std::string value;
    const size_t length = 1 + random.Below(20);
    for (size_t k = 0; k < length; ++k) value += static_cast<char>(random.Below(256));
    const std::string escaped = EscapePartition(value);
    EXPECT_EQ(escaped.find('/'), std::string::npos);
    EXPECT_THAT(UnescapePartition(escaped), Optional(value));
  }
}

TEST(PartitionPathTest, ChecksValues) {
  for (const char* good : {"BTCUSDT", "BRK.B", "BTC/USD", "..", "币安人生", "a b", "^GSPC"}) {
    EXPECT_NO_THROW(CheckPartitionValue("symbol", good)) << good;
  }
  const std::string long_name(201, 'x'), slashes(67, '/');
  for (const std::string& bad :
       {std::string(), std::string(" a"), std::string("a\t"), std::string("a\nb"),
        std::string("a\0b", 3), std::string("\xff"), std::string("\xc0\x80"),
        std::string("\xed\xa0\x80"), std::string("\xe5\xb8"), std::string("\xf4\x90\x80\x80"),
        std::string("__HIVE_DEFAULT_PARTITION__"), long_name, slashes}) {
    EXPECT_THROW(CheckPartitionValue("symbol", bad), Error) << bad;
  }
  for (const char* good : {"binance-spot", "us", "x_1"}) EXPECT_NO_THROW(CheckMarketName(good));
  for (const char* bad : {"", "Binance", "a b", "a/b", "ä"}) {
    EXPECT_THROW(CheckMarketName(bad), Error) << bad;
  }
}

}  // namespace
}  // namespace almanac
