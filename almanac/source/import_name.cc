#include "almanac/source/import_name.h"

#include <algorithm>
#include <array>
#include <vector>

#include "almanac/base/text.h"

namespace almanac {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 4> kPackings = {".gz", ".gzip", ".zst", ".zstd"};
constexpr std::array<std::string_view, 4> kDataExtensions = {".csv", ".tsv", ".txt", ".json"};
constexpr int kFoldersAbove = 3;  // .../BTCUSDT/1h/2024/file.csv

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }

struct Word {
  std::string_view word, timeframe;
};
constexpr Word kWords[] = {{"1min", "1m"},   {"3min", "3m"},  {"5min", "5m"},   {"15min", "15m"},
                           {"30min", "30m"}, {"60min", "1h"}, {"60m", "1h"},    {"1hour", "1h"},
                           {"1hr", "1h"},    {"4hour", "4h"}, {"24h", "1d"},    {"1day", "1d"},
                           {"7d", "1w"},     {"1week", "1w"}, {"minute", "1m"}, {"hourly", "1h"},
                           {"daily", "1d"},  {"weekly", "1w"}};
// Lengths that files have and Almanac does not.
constexpr std::string_view kUnknownLengths[] = {"1s", "1M",  "3d",   "10m",    "45m",
                                                "3h", "1mo", "1mon", "1month", "monthly"};
// Names that say what a file is, not whose bars are in it.
constexpr std::string_view kNotSymbols[] = {
    "bars",   "candle", "candles", "data",  "download", "export", "history", "import", "kline",
    "klines", "ohlc",   "ohlcv",   "price", "prices",   "quotes", "stocks",  "train",  "test"};

template <typename List>
bool Contains(const List& list, std::string_view word) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

// "1h", "1H" and, if `words`, "daily" and the like. "1m" is a minute, "1M" a month.
std::optional<Timeframe> TimeframeOf(std::string_view token, bool words) {
  if (const auto exact = Timeframe::TryParse(token)) return exact;
  if (token.ends_with('M')) return std::nullopt;
  const std::string lower = ToLower(token);
  if (const auto parsed = Timeframe::TryParse(lower)) return parsed;
  for (const Word& word : kWords) {
    if (word.word != lower) continue;
    if (!words && !IsDigit(lower.front())) return std::nullopt;
    return Timeframe::TryParse(word.timeframe);
  }
  return std::nullopt;
}

bool IsUnknownLength(std::string_view token) {
  return Contains(kUnknownLengths, token) ||
         (!token.ends_with('M') && Contains(kUnknownLengths, ToLower(token)));
}

// The parts of a name between '-', '_' and spaces, with their places.
struct Token {
  size_t begin = 0;
  std::string_view text;
};
std::vector<Token> Tokens(std::string_view name) {
  std::vector<Token> tokens;
  size_t begin = 0;
  for (size_t i = 0; i <= name.size(); ++i) {
    if (i != name.size() && name[i] != '-' && name[i] != '_' && name[i] != ' ') continue;
    if (i > begin) tokens.push_back({begin, name.substr(begin, i - begin)});
    begin = i + 1;
  }
  return tokens;
}

// A year, a month, a day or a whole date: digits alone.
bool IsDatePart(std::string_view token) {
  return !token.empty() && token.size() <= 8 && std::all_of(token.begin(), token.end(), IsDigit);
}

std::string StemOf(const fs::path& file) {
  std::string name = file.filename().string();
  for (const auto& endings : {kPackings, kDataExtensions}) {
    const std::string lower = ToLower(name);
    for (const std::string_view ending : endings) {
      if (!lower.ends_with(ending) || lower.size() == ending.size()) continue;
      name.resize(name.size() - ending.size());
      break;
    }
  }
  return name;
}

struct Parts {
  std::string symbol;  // may be empty
  std::optional<Timeframe> timeframe;
  std::string unknown_length;
};

// SYMBOL[-TIMEFRAME[-anything]] or SYMBOL[-dates].
Parts ReadStem(const std::string& stem) {
  const std::vector<Token> tokens = Tokens(stem);
  Parts parts;
  size_t end = tokens.size();
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0 && IsUnknownLength(tokens[i].text)) parts.unknown_length = tokens[i].text;
    parts.timeframe = TimeframeOf(tokens[i].text, true);
    if (!parts.timeframe && parts.unknown_length.empty()) continue;
    end = i;
    break;
  }
  while (end > 0 && IsDatePart(tokens[end - 1].text)) --end;
  if (end == 0) return parts;
  const Token& last = tokens[end - 1];
  parts.symbol = stem.substr(tokens[0].begin, last.begin + last.text.size() - tokens[0].begin);
  if (!IsSymbol(parts.symbol) || Contains(kNotSymbols, ToLower(parts.symbol))) parts.symbol.clear();
  return parts;
}

// A folder names a symbol only if it cannot be a plain word: capitals, no small letters.
bool LooksLikeSymbol(const std::string& name) {
  return IsSymbol(name) && std::any_of(name.begin(), name.end(), IsUpper) &&
         std::none_of(name.begin(), name.end(), IsLower);
}

std::optional<Timeframe> TimeframeOfFolder(const std::string& name) {
  for (const Token& token : Tokens(name)) {
    if (const auto timeframe = TimeframeOf(token.text, false)) return timeframe;
  }
  return std::nullopt;
}

}  // namespace

NameFacts ReadName(const fs::path& file) {
  const Parts parts = ReadStem(StemOf(file));
  NameFacts facts;
  if (!parts.symbol.empty()) facts.symbol = parts.symbol;
  facts.timeframe = parts.timeframe;
  facts.unknown_length = parts.unknown_length;
  if (facts.timeframe) facts.timeframe_from = file.filename().string();
  std::error_code ignored;
  fs::path folder = fs::absolute(file, ignored).lexically_normal().parent_path();
  for (int up = 0; up < kFoldersAbove && folder.has_filename(); ++up) {
    const std::string name = folder.filename().string();
    const auto timeframe = TimeframeOfFolder(name);
    if (!facts.timeframe && timeframe) {
      facts.timeframe = timeframe;
      facts.timeframe_from = name + "/";
    }
    if (!facts.symbol && !timeframe && LooksLikeSymbol(name)) facts.symbol = name;
    folder = folder.parent_path();
  }
  return facts;
}

std::string DataExtension(const fs::path& file) {
  std::string name = ToLower(file.filename().string());
  for (const std::string_view packing : kPackings) {
    if (!name.ends_with(packing)) continue;
    name.resize(name.size() - packing.size());
    break;
  }
  for (const std::string_view extension : kDataExtensions) {
    if (name.ends_with(extension)) return std::string(extension.substr(1));
  }
  return "";
}

bool IsSymbol(std::string_view text) {
  constexpr size_t kLongest = 64;
  constexpr std::string_view kPunctuation = "._-/:^=+&$#";
  if (text.empty() || text.size() > kLongest || text.front() == '.') return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return IsDigit(c) || IsLower(c) || IsUpper(c) || kPunctuation.find(c) != std::string_view::npos;
  });
}

}  // namespace almanac
