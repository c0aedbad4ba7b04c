#include "almanac/source/import_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/base/text.h"
#include "almanac/source/csv.h"

namespace almanac {
namespace {

constexpr std::string_view kNoColumn = "none";

// Names are compared without their underscores, so that "openTime" is "open_time".
std::string Squeezed(std::string_view name) {
  std::string squeezed;
  for (const char c : NormalisedName(name)) {
    if (c != '_') squeezed += c;
  }
  return squeezed;
}

struct Suffix {
  std::string_view text;
  TimeUnit unit;
};
constexpr Suffix kUnitSuffixes[] = {
    {"_seconds", TimeUnit::kSeconds}, {"_sec", TimeUnit::kSeconds},
    {"_s", TimeUnit::kSeconds},       {"_millis", TimeUnit::kMilliseconds},
    {"_ms", TimeUnit::kMilliseconds}, {"_micros", TimeUnit::kMicroseconds},
    {"_us", TimeUnit::kMicroseconds}, {"_nanos", TimeUnit::kNanoseconds},
    {"_ns", TimeUnit::kNanoseconds}};

// "timestamp_ms" -> {"timestamp", ms}.
std::pair<std::string, std::optional<TimeUnit>> TakeUnitSuffix(std::string_view name) {
  const std::string whole = NormalisedName(name);
  for (const Suffix& suffix : kUnitSuffixes) {
    if (!whole.ends_with(suffix.text)) continue;
    return {whole.substr(0, whole.size() - suffix.text.size()), suffix.unit};
  }
  return {whole, std::nullopt};
}

std::string Quoted(const std::vector<std::string>& names) {
  constexpr size_t kMost = 20;
  std::vector<std::string> quoted;
  for (const std::string& name : names) {
    if (quoted.size() == kMost) {
      quoted.push_back(fmt::format("and {} more", names.size() - kMost));
      break;
    }
    quoted.push_back("'" + ShownText(name) + "'");
  }
  return Join(quoted, ", ");
}

// Positions of the header's columns whose squeezed name is `name`.
std::vector<int> ColumnsNamed(const std::vector<std::string>& squeezed, const std::string& name) {
  std::vector<int> found;
  for (size_t i = 0; i < squeezed.size(); ++i) {
    if (squeezed[i] == name) found.push_back(static_cast<int>(i));
  }
  return found;
}

int OnlyOne(const std::vector<int>& found, std::string_view field,
            const std::vector<std::string>& header) {
  if (found.empty()) return ColumnMap::kMissing;
  if (found.size() > 1) {
    throw Error(ErrorCode::kBadData, "",
                fmt::format("two columns are named '{}', it is not known which of them is the {}",
                            ShownText(header[static_cast<size_t>(found[0])]), field),
                fmt::format("say which, for example --column {}=#{}", field, found[0] + 1));
  }
  return found[0];
}

int GivenColumn(const FieldNames& field, const std::string& given,
                const std::vector<std::string>& header) {
  if (field.field == "volume" && given == kNoColumn) return ColumnMap::kNone;
  if (given.starts_with('#')) {
    const auto position = ParseInt64(given.substr(1));
    if (position && *position >= 1 && *position <= static_cast<int64_t>(header.size())) {
      return static_cast<int>(*position - 1);
    }
    throw Error(ErrorCode::kBadData, "",
                fmt::format("there is no column {} for the {}", given, field.field),
                fmt::format("the file has {} columns", header.size()));
  }
  std::vector<std::string> normalised;
  normalised.reserve(header.size());
  for (const std::string& name : header) normalised.push_back(NormalisedName(name));
  const int found = OnlyOne(ColumnsNamed(normalised, NormalisedName(given)), field.field, header);
  if (found != ColumnMap::kMissing) return found;
  throw Error(ErrorCode::kBadData, "",
              fmt::format("there is no column '{}' for the {}", given, field.field),
              fmt::format("the columns are {}", Quoted(header)));
}

// A header's names as they are compared.
class HeaderNames {
 public:
  explicit HeaderNames(const std::vector<std::string>& header) : header_(header) {
    constexpr const char* kNoName = "\n";  // no synonym is equal to it
    for (const std::string& name : header) {
      squeezed_.push_back(Squeezed(name));
      const auto [base, unit] = TakeUnitSuffix(name);
      without_unit_.push_back(unit ? Squeezed(base) : kNoName);
    }
  }

  // The column with the best of the field's names.
  int Find(const FieldNames& field, bool may_have_unit) const {
    for (const std::string_view synonym : field.names) {
      const std::string name = Squeezed(synonym);
      int found = OnlyOne(ColumnsNamed(squeezed_, name), field.field, header_);
      if (found == ColumnMap::kMissing && may_have_unit && !name.empty()) {
        found = OnlyOne(ColumnsNamed(without_unit_, name), field.field, header_);
      }
      if (found != ColumnMap::kMissing) return found;
    }
    return ColumnMap::kMissing;
  }

 private:
  const std::vector<std::string>& header_;
  std::vector<std::string> squeezed_, without_unit_;
};

[[noreturn]] void ThrowMissing(const std::vector<std::string_view>& missing,
                               const std::vector<std::string>& header) {
  throw Error(ErrorCode::kBadData, "",
              fmt::format("the header has no column for {}; its columns are {}",
                          fmt::join(missing, ", "), Quoted(header)),
              "name them by --column FIELD=NAME (or FIELD=#3 for the third; --column volume=none "
              "if there is none)");
}

}  // namespace

const std::vector<FieldNames>& CandleFields() {
  static const std::vector<FieldNames> fields = {
      {"time",
       true,
       {"open_time", "kline_open_time", "candle_open_time", "bar_open_time", "window_start",
        "start_time", "timestamp", "ts", "unix_timestamp", "unix_time", "unix", "epoch", "bar_time",
        "datetime", "date_time", "time", "date", "start", "t",
        // The index that pandas writes without a name.
        "", "unnamed_0"}},
      {"open", true, {"open", "open_price", "opening_price", "price_open", "o"}},
      {"high", true, {"high", "high_price", "price_high", "max", "h"}},
      {"low", true, {"low", "low_price", "price_low", "min", "l"}},
      {"close", true, {"close", "close_price", "closing_price", "price_close", "c"}},
      {"volume", true, {"volume", "base_volume", "volume_base", "base_asset_volume", "vol", "v"}},
      {"trade_count",
       false,
       {"trade_count", "trades", "number_of_trades", "num_trades", "no_of_trades", "nb_trades",
        "trades_count", "transactions", "count", "n"}},
      {"vwap", false, {"vwap", "volume_weighted_average_price", "weighted_average", "vw"}},
      {"symbol", false, {"symbol", "ticker", "pair", "instrument", "code", "name"}}};
  return fields;
}

const std::vector<FieldNames>& EarningsFields() {
  static const std::vector<FieldNames> fields = {
      {"date",
       true,
       {"date", "announcement_date", "announced_at", "report_date", "reported_date",
        "earnings_date", "datetime", "timestamp", "time"}},
      {"symbol", false, {"symbol", "ticker", "instrument", "code", "name"}},
      {"eps_estimate",
       true,
       {"eps_estimate", "eps_estimated", "estimated_eps", "eps_consensus", "eps_forecast",
        "consensus", "estimate"}},
      {"eps_actual",
       true,
       {"eps_actual", "actual_eps", "reported_eps", "eps_reported", "actual", "eps"}}};
  return fields;
}

std::string NormalisedName(std::string_view name) {
  std::string normalised;
  bool gap = false;
  for (const char c : ToLower(name)) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c & 0x80) != 0;
    if (kept && gap && !normalised.empty()) normalised += '_';
    if (kept) normalised += c;
    gap = !kept;
  }
  return normalised;
}

void CheckGivenColumns(const std::vector<FieldNames>& fields,
                       const std::map<std::string, std::string>& given) {
  std::vector<std::string> names;
  names.reserve(fields.size());
  for (const FieldNames& field : fields) names.emplace_back(field.field);
  for (const auto& [name, column] : given) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    throw Error(ErrorCode::kUsage, fmt::format("column {}={}", name, column),
                fmt::format("there is no field '{}'", name),
                fmt::format("the fields are {}", Join(names, ", ")));
  }
}

ColumnMap MapColumns(const std::vector<FieldNames>& fields, const std::vector<std::string>& header,
                     const std::map<std::string, std::string>& given) {
  CheckGivenColumns(fields, given);
  const HeaderNames names(header);
  ColumnMap map;
  std::vector<std::string_view> missing;
  static_assert(size_t{kTimeField} == size_t{kDateField});  // the one with a unit in its name
  for (size_t f = 0; f < fields.size(); ++f) {
    const auto it = given.find(std::string(fields[f].field));
    const int found = it != given.end() ? GivenColumn(fields[f], it->second, header)
                                        : names.Find(fields[f], f == kTimeField);
    if (found == ColumnMap::kMissing && fields[f].required) missing.push_back(fields[f].field);
    map.column.push_back(found);
  }
  if (!missing.empty()) ThrowMissing(missing, header);
  map.time_unit = TakeUnitSuffix(header[static_cast<size_t>(map.Of(kTimeField))]).second;
  for (size_t i = 0; i < header.size(); ++i) {
    const bool used = std::count(map.column.begin(), map.column.end(), static_cast<int>(i)) > 0;
    if (!used) map.ignored.push_back(header[i]);
  }
  return map;
}

}  // namespace almanac
