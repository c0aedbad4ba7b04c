#include "almanac/pipeline/funding_series.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/test_folder.h"
#include "almanac/lake/observation.h"

namespace almanac {
namespace {

class FundingSeriesTest : public testing::Test {
 protected:
  FundingSource File(const std::string& text) const {
    WriteFileAtomic(folder_ / "rates.csv", text);
    return {folder_ / "rates.csv", "", ""};
  }
  std::vector<FundingRate> Read(const FundingSource& source) const {
    return ReadFunding(source, "BTCUSDT", Home{folder_ / "home"});
  }
  std::string Refusal(const std::string& text) const {
    try {
      Read(File(text));
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadData);
      return error.what();
    }
  }

  TestFolder folder_;
};

TEST_F(FundingSeriesTest, ReadsTheFilesOfExchanges) {
  const auto own = Read(File("time,rate\n2024-01-01T08:00:00Z,-0.0002\n2024-01-01,0.0001\n"));
  ASSERT_EQ(own.size(), 2u);
  EXPECT_EQ(own[0].time, *ParseTime("2024-01-01"));
  EXPECT_EQ(own[0].rate, 0.0001);
  EXPECT_EQ(own[1].rate, -0.0002);
  const auto archive = Read(
      File("calc_time,funding_interval_hours,last_funding_rate\r\n1704067200000,8,0.0001\r\n"));
  EXPECT_EQ(archive.at(0).time, *ParseTime("2024-01-01"));
  const auto several =
      Read(File("symbol,fundingTime,fundingRate\nETHUSDT,1,0.5\nBTCUSDT,2,0.25\nETHUSDT,3,0.5\n"));
  ASSERT_EQ(several.size(), 1u);
  EXPECT_EQ(several[0].time, 2);
  EXPECT_EQ(several[0].rate, 0.25);
}

TEST_F(FundingSeriesTest, ReadsTheLakesObservations) {
  const Home home{folder_ / "home"};
  ObservationStore(home).Upsert({{1000, 0.001, "float", 1000, "BTCUSDT", "funding_rate", "event"},
                                 {2000, 0.002, "float", 2000, "BTCUSDT", "funding_rate", "event"},
                                 {2000, 0.003, "float", 2500, "BTCUSDT", "funding_rate", "event"}});
  const auto rates = Read({"", "funding_rate", "event"});
  ASSERT_EQ(rates.size(), 2u);
  EXPECT_EQ(rates[1].rate, 0.003);  // as it was published last
  EXPECT_NE(HashOf(rates), HashOf({rates[0]}));
  EXPECT_THROW(Read({"", "funding_rate", "8h"}), Error);
}

TEST_F(FundingSeriesTest, RefusesWhatItCannotRead) {
  const auto says = [](const std::string& refusal, const char* part) {
    EXPECT_NE(refusal.find(part), std::string::npos) << refusal;
  };
  says(Refusal("when,rate\n1,0.1\n"), "no column for the time");
  says(Refusal("time,value\n1,0.1\n"), "no column for the rate");
  says(Refusal("time,rate\n1,0.1\nsoon,0.1\n"), "rates.csv:3: \"soon\" is no time");
  says(Refusal("time,rate\n1,high\n"), "rates.csv:2: \"high\" is no funding rate");
  says(Refusal("time,rate\n1,2.5\n"), "is no funding rate");
  says(Refusal("time,rate\n1\n"), "1 cells under 2 columns");
  says(Refusal("time,rate\n1,0.1\n1,0.2\n"), "two rates of BTCUSDT");
  says(Refusal("symbol,time,rate\nETHUSDT,1,0.1\n"), "no funding rates of BTCUSDT");
  EXPECT_THROW(Read({folder_ / "none.csv", "", ""}), Error);
}

TEST_F(FundingSeriesTest, MustCoverWhatIsTraded) {
  const std::vector<FundingRate> rates = {{10 * kMsPerDay, 0.1}, {20 * kMsPerDay, 0.1}};
  EXPECT_NO_THROW(RequireCover(rates, "X", 9 * kMsPerDay, 21 * kMsPerDay));
  EXPECT_THROW(RequireCover(rates, "X", 8 * kMsPerDay, 20 * kMsPerDay), Error);
  EXPECT_THROW(RequireCover(rates, "X", 10 * kMsPerDay, 22 * kMsPerDay), Error);
  EXPECT_THROW(RequireCover({}, "X", 0, 1), Error);
}

}  // namespace
}  // namespace almanac
