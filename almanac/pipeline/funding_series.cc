#include "almanac/pipeline/funding_series.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/hash.h"
#include "almanac/base/text.h"
#include "almanac/lake/observation.h"

namespace almanac {
namespace {

const std::vector<std::string> kTimeNames = {"time", "timestamp", "funding_time", "fundingtime",
                                             "calc_time"};
const std::vector<std::string> kRateNames = {"rate", "funding_rate", "fundingrate",
                                             "last_funding_rate"};
constexpr size_t kAbsent = static_cast<size_t>(-1);

size_t ColumnOf(const std::vector<std::string_view>& header,
                const std::vector<std::string>& names) {
  for (size_t column = 0; column < header.size(); ++column) {
    const std::string name = ToLower(Trim(header[column]));
    if (std::find(names.begin(), names.end(), name) != names.end()) return column;
  }
  return kAbsent;
}

std::optional<TimeMs> TimeOf(std::string_view text) {
  const auto number = ParseInt64(text);
  return number ? std::optional<TimeMs>(*number) : ParseTime(std::string(text));
}

class RateFile {
 public:
  RateFile(std::filesystem::path file, std::string symbol)
      : file_(std::move(file)), symbol_(std::move(symbol)) {}

  std::vector<FundingRate> Read() {
    const std::string text = ReadFile(file_);
    const std::vector<std::string_view> lines = Split(text, '\n');
    ReadHeader(lines.front());
    for (size_t i = 1; i < lines.size(); ++i) {
      if (!Trim(lines[i]).empty()) ReadLine(lines[i], i + 1);
    }
    return std::move(rates_);
  }

 private:
  void ReadHeader(std::string_view line) {
    const std::vector<std::string_view> header = Split(line, ',');
    columns_ = header.size();
    time_ = ColumnOf(header, kTimeNames);
    rate_ = ColumnOf(header, kRateNames);
    of_symbol_ = ColumnOf(header, {"symbol"});
    if (time_ != kAbsent && rate_ != kAbsent) return;
    const auto& missing = time_ == kAbsent ? kTimeNames : kRateNames;
    throw Error(ErrorCode::kBadData, fmt::format("{}:1", file_.string()),
                fmt::format("no column for the {}", time_ == kAbsent ? "time" : "rate"),
                fmt::format("a header with one of {}", fmt::join(missing, ", ")));
  }

  void ReadLine(std::string_view line, size_t number) {
    const std::vector<std::string_view> cells = Split(line, ',');
    const auto refuse = [&](const std::string& what, const char* right) {
      throw Error(ErrorCode::kBadData, fmt::format("{}:{}", file_.string(), number), what, right);
    };
    if (cells.size() != columns_) {
      refuse(fmt::format("{} cells under {} columns", cells.size(), columns_), "one each");
    }
    if (of_symbol_ != kAbsent && Trim(cells[of_symbol_]) != symbol_) return;
    const auto time = TimeOf(Trim(cells[time_]));
    const auto rate = ParseDouble(Trim(cells[rate_]));
    if (!time) {
      refuse(fmt::format("\"{}\" is no time", Trim(cells[time_])),
             "ISO 8601, or milliseconds since 1970");
    }
    if (!rate || !(std::abs(*rate) < 1)) {
      refuse(fmt::format("\"{}\" is no funding rate", Trim(cells[rate_])),
             "a fraction such as 0.0001");
    }
    rates_.push_back({*time, *rate});
  }

  std::filesystem::path file_;
  std::string symbol_;
  size_t columns_ = 0, time_ = kAbsent, rate_ = kAbsent, of_symbol_ = kAbsent;
  std::vector<FundingRate> rates_;
};

std::vector<FundingRate> FromLake(const FundingSource& source, const std::string& symbol,
                                  const Home& home) {
  std::vector<FundingRate> rates;
  const ObservationStore store(home);
  for (const Observation& one : store.Read(source.feature, source.time_frame, symbol)) {
    rates.push_back({one.timestamp, one.value});
  }
  return rates;
}

std::string NameOf(const FundingSource& source) {
  return source.file.empty()
             ? fmt::format("observations of {} ({})", source.feature, source.time_frame)
             : source.file.string();
}

}  // namespace

FundingSource ReadFundingSource(const ConfigNode& node) {
  FundingSource source;
  source.file = node.String("file", "");
  source.feature = node.String("feature", "");
  source.time_frame = node.String("time_frame", "event");
  if (source.file.empty() == source.feature.empty()) {
    throw Error(ErrorCode::kUsage, node.Place(),
                source.file.empty() ? "names neither a file nor a feature"
                                    : "names both a file and a feature",
                "{file: rates.csv}, or {feature: funding_rate}");
  }
  return source;
}

std::vector<FundingRate> ReadFunding(const FundingSource& source, const std::string& symbol,
                                     const Home& home) {
  std::vector<FundingRate> rates =
      source.file.empty() ? FromLake(source, symbol, home) : RateFile(source.file, symbol).Read();
  std::stable_sort(rates.begin(), rates.end(),
                   [](const FundingRate& a, const FundingRate& b) { return a.time < b.time; });
  for (size_t i = 1; i < rates.size(); ++i) {
    if (rates[i].time > rates[i - 1].time) continue;
    throw Error(ErrorCode::kBadData, NameOf(source),
                fmt::format("two rates of {} at {}", symbol, FormatTime(rates[i].time)),
                "one an instant");
  }
  if (!rates.empty()) return rates;
  throw Error(ErrorCode::kBadData, NameOf(source), "no funding rates of " + symbol,
              "give its rates, or funding_bps for a constant one");
}

void RequireCover(const std::vector<FundingRate>& funding, const std::string& symbol, TimeMs from,
                  TimeMs to) {
  if (!funding.empty() && funding.front().time <= from + kMsPerDay &&
      funding.back().time >= to - kMsPerDay) {
    return;
  }
  throw Error(ErrorCode::kBadData, "funding of " + symbol,
              funding.empty()
                  ? "there are no rates"
                  : fmt::format("the rates reach from {} to {}", FormatTime(funding.front().time),
                                FormatTime(funding.back().time)),
              fmt::format("{} to {} is traded", FormatTime(from), FormatTime(to)));
}

std::string HashOf(const std::vector<FundingRate>& funding) {
  std::string text;
  for (const FundingRate& rate : funding) text += fmt::format("{} {}\n", rate.time, rate.rate);
  return Sha256(text);
}

}  // namespace almanac
