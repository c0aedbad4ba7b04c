#include "almanac/source/earnings.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "almanac/base/cancel.h"
#include "almanac/base/error.h"
#include "almanac/base/text.h"
#include "almanac/market/calendar.h"
#include "almanac/source/candle_file.h"
#include "almanac/source/csv.h"
#include "almanac/source/decimal.h"
#include "almanac/source/import_columns.h"
#include "almanac/source/import_name.h"
#include "almanac/source/import_time.h"
#include "almanac/source/input_file.h"

namespace almanac {
namespace {

namespace fs = std::filesystem;

constexpr size_t kTimeSamples = 200;

// Whether an instant says no more than a date: midnight in UTC or in New York. Programs that write
// a date as a time write it so, and nobody announces at midnight.
bool IsMidnight(TimeMs time) {
  return time % kMsPerDay == 0 || (time + NewYorkOffset(time)) % kMsPerDay == 0;
}

// One file of earnings, read whole: it has a line a quarter.
class EarningsFile {
 public:
  EarningsFile(const fs::path& path, const ImportOptions& options)
      : path_(path), options_(options) {
    report_.path = path.string();
    report_.form = "earnings CSV";
  }

  void Read() {
    ReadContent();
    std::string_view rest = ReadHeader();
    DetectTime(rest);
    FieldSplitter splitter(delimiter_);
    while (!rest.empty()) {
      const std::string_view line = TakeLine(rest);
      ++line_;
      const char* problem = splitter.Split(line);
      if (problem != nullptr) {
        AddBad(problem);
      } else if (splitter.fields().size() == width_) {
        AddLine(splitter.fields());
      } else if (!Trim(line).empty()) {
        AddBad(fmt::format("{} field(s) where {} are due", splitter.fields().size(), width_));
      }
    }
    if (!damage_.empty()) {
      ++line_;
      AddBad(damage_);
    }
  }

  ImportedFile& report() { return report_; }
  std::vector<BadLine>& bad() { return bad_; }
  const std::vector<Announcement>& announcements() const { return announcements_; }
  int64_t bytes() const { return bytes_; }

 private:
  void ReadContent() {
    InputFile input(path_);
    bytes_ = input.packed_bytes();
    constexpr size_t kBlock = size_t{1} << 16;
    size_t had = 0;
    try {
      for (size_t count = 1; count > 0; had += count) {
        content_.resize(had + kBlock);
        count = input.Read(content_.data() + had, kBlock);
        content_.resize(had + count);
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kBadData) throw;
      content_.resize(had);
      content_.resize(content_.rfind('\n') + 1);  // npos + 1 is 0
      damage_ = error.problem();
    }
    if (content_.starts_with("\xef\xbb\xbf")) content_.erase(0, 3);
  }

  std::string_view ReadHeader() {
    std::string_view rest = content_;
    if (Trim(rest).empty()) {
      throw BadFile(path_, 0, damage_.empty() ? "the file is empty" : damage_);
    }
    std::string_view line;
    while (Trim(line).empty()) {
      line = TakeLine(rest);
      ++line_;
    }
    if (line.front() == '[' || line.front() == '{') {
      throw BadFile(path_, line_, "earnings are read from CSV, this is JSON");
    }
    delimiter_ = DetectDelimiter(line);
    FieldSplitter splitter(delimiter_);
    if (const char* problem = splitter.Split(line)) throw BadFile(path_, line_, problem);
    const std::vector<std::string> header(splitter.fields().begin(), splitter.fields().end());
    width_ = header.size();
    try {
      columns_ = MapColumns(EarningsFields(), header, options_.columns);
    } catch (const Error& error) {
      throw BadFile(path_, line_, error.problem(), error.remedy());
    }
    report_.ignored_columns = columns_.ignored;
    FindSymbol();
    return rest;
  }

  void FindSymbol() {
    if (columns_.Of(kEarningsSymbolField) == ColumnMap::kMissing) {
      const NameFacts facts = ReadName(path_);
      if (!options_.symbol && !facts.symbol) {
        throw BadFile(path_, line_, "whose earnings are these? There is no symbol column",
                      "say it by --symbol");
      }
      symbol_ = options_.symbol ? *options_.symbol : *facts.symbol;
    } else if (options_.symbol) {
      throw BadFile(path_, line_, "the file has a symbol column", "leave out --symbol");
    }
  }

  void DetectTime(std::string_view rest) {
    std::vector<std::string> samples;
    FieldSplitter splitter(delimiter_);
    while (!rest.empty() && samples.size() < kTimeSamples) {
      if (splitter.Split(TakeLine(rest)) != nullptr || splitter.fields().size() != width_) continue;
      samples.emplace_back(Field(splitter.fields(), kDateField));
    }
    const auto unit = options_.time_unit ? options_.time_unit : columns_.time_unit;
    if (const auto reader = TimeReader::Detect(samples, unit)) time_ = *reader;
  }

  std::string_view Field(const std::vector<std::string_view>& fields, EarningsField field) const {
    const int column = columns_.Of(field);
    return column < 0 ? std::string_view() : fields[static_cast<size_t>(column)];
  }

  void AddLine(const std::vector<std::string_view>& fields) {
    Announcement line;
    const std::string_view date = Field(fields, kDateField);
    const auto time = time_.Read(date);
    if (!time) return AddBad(time_.WhyNot(ShownText(date)));
    line.date_only = time_.IsDateOnly(date) || IsMidnight(*time);
    // Midnight in New York is 04:00 or 05:00 UTC of the same date.
    line.announced = line.date_only ? StartOfDate(DateOf(*time)) : *time;
    const std::string_view symbol = Field(fields, kEarningsSymbolField);
    line.symbol = symbol_.empty() ? std::string(symbol) : symbol_;
    if (!IsSymbol(line.symbol)) {
      return AddBad(line.symbol.empty() ? "the symbol is missing"
                                        : fmt::format("'{}' is not a symbol", ShownText(symbol)));
    }
    if (!ReadEps(Field(fields, kEpsEstimateField), "eps_estimate", line.eps_estimate)) return;
    if (!ReadEps(Field(fields, kEpsActualField), "eps_actual", line.eps_actual)) return;
    Keep(line);
  }

  bool ReadEps(std::string_view text, std::string_view name, std::optional<double>& value) {
    if (text.empty()) return true;
    value = ParseDecimal(text);
    if (!value) AddBad(fmt::format("the {} '{}' is not a finite number", name, ShownText(text)));
    return value.has_value();
  }

  void Keep(const Announcement& line) {
    const auto [it, is_new] = first_.try_emplace({line.symbol, line.announced}, line_, line);
    if (is_new) {
      announcements_.push_back(line);
      ++report_.bars;
    } else if (it->second.second == line) {
      ++report_.duplicates;
    } else {
      AddBad(fmt::format("{} {} has other values than on line {}", line.symbol,
                         FormatDate(line.announced), it->second.first));
    }
  }

  void AddBad(std::string reason) {
    ++report_.bad_lines;
    if (bad_.size() < ImportReport::kMaxBadLines) {
      bad_.push_back({path_.string(), line_, std::move(reason)});
    }
  }

  const fs::path& path_;
  const ImportOptions& options_;
  std::string content_, damage_, symbol_;
  int64_t bytes_ = 0, line_ = 0;
  char delimiter_ = ',';
  size_t width_ = 0;
  ColumnMap columns_;
  TimeReader time_ = TimeReader::Iso();
  ImportedFile report_;
  std::vector<BadLine> bad_;
  std::vector<Announcement> announcements_;
  std::map<std::pair<std::string, TimeMs>, std::pair<int64_t, Announcement>> first_;
};

void TakeFile(const fs::path& path, const ImportOptions& options, EarningsImport& import) {
  EarningsFile file(path, options);
  ImportReport& report = import.report;
  try {
    file.Read();
  } catch (const BadFile& error) {
    file.report().skipped = true;
    ++file.report().bad_lines;
    file.bad().push_back(error.AsBadLine());
  }
  for (const Announcement& announcement : file.announcements()) {
    AppendObservations(announcement, import.observations);
  }
  report.announcements += static_cast<int64_t>(file.announcements().size());
  report.bytes += file.bytes();
  report.bad_line_count += file.report().bad_lines;
  for (BadLine& bad : file.bad()) {
    if (report.bad_lines.size() < ImportReport::kMaxBadLines) report.bad_lines.push_back(bad);
  }
  report.files.push_back(std::move(file.report()));
}

}  // namespace

TimeMs AnnouncementKnownAt(const Announcement& announcement) {
  if (!announcement.date_only) return announcement.announced;
  const TimeMs next_day = announcement.announced + kMsPerDay;
  // At 04:00 UTC it is 00:00 or 23:00 in New York, before any change of its clocks (02:00).
  return next_day - NewYorkOffset(next_day + 4 * kMsPerHour);
}

void AppendObservations(const Announcement& announcement, std::vector<Observation>& to) {
  const auto add = [&](const char* feature, const char* type, double value) {
    to.push_back({announcement.announced, value, type, AnnouncementKnownAt(announcement),
                  announcement.symbol, feature, "event"});
  };
  add("is_earnings_day", "bool", 1);
  if (!announcement.eps_estimate || !announcement.eps_actual) return;
  add("eps_estimate", "float", *announcement.eps_estimate);
  add("eps_actual", "float", *announcement.eps_actual);
  add("surprise", "float", *announcement.eps_actual - *announcement.eps_estimate);
}

EarningsImport ReadEarnings(const std::vector<fs::path>& files, const ImportOptions& options,
                            Progress& progress) {
  EarningsImport import;
  progress.Begin("import", static_cast<int64_t>(files.size()));
  for (const fs::path& path : files) {
    CheckCancel();
    progress.Note(path.string());
    TakeFile(path, options, import);
    progress.Advance(1);
  }
  import.report.observations = static_cast<int64_t>(import.observations.size());
  progress.End(fmt::format("{} announcements", FormatCount(import.report.announcements)));
  if (import.report.bad_line_count > 0 && options.on_bad == OnBadLine::kRefuse) {
    throw ImportRefused(std::move(import.report));
  }
  return import;
}

}  // namespace almanac
