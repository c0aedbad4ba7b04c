#include "almanac/source/candle_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/text.h"
#include "almanac/source/csv.h"
#include "almanac/source/decimal.h"
#include "almanac/source/import_name.h"
#include "almanac/source/spacing.h"

namespace almanac {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPieceBytes = size_t{1} << 20;
constexpr size_t kFirstBytes = size_t{1} << 16;
constexpr size_t kBinanceWidth = 12;
constexpr size_t kTimeSamples = 200;

// Positions of the fields in Binance's klines, and in the shorter bars of CCXT and Freqtrade.
const std::map<std::string, std::string> kShortBarColumns = {{"time", "#1"},  {"open", "#2"},
                                                             {"high", "#3"},  {"low", "#4"},
                                                             {"close", "#5"}, {"volume", "#6"}};
constexpr size_t kShortBarWidth = 6;
std::map<std::string, std::string> BinanceColumns() {
  std::map<std::string, std::string> columns = kShortBarColumns;
  columns["trade_count"] = "#9";
  return columns;
}

// "#1", "#2", ...: names for the columns of what has no header.
std::vector<std::string> PositionNames(size_t width) {
  std::vector<std::string> names;
  for (size_t i = 1; i <= width; ++i) names.push_back(fmt::format("#{}", i));
  return names;
}

bool IsHeader(const std::vector<std::string_view>& fields) {
  return std::none_of(fields.begin(), fields.end(), [](std::string_view field) {
    return ParseDecimal(field).has_value() || ParseTime(field).has_value();
  });
}

bool IsBinanceHeader(const std::vector<std::string>& header) {
  return header.size() == kBinanceWidth && NormalisedName(header[0]) == "open_time" &&
         NormalisedName(header[6]) == "close_time";
}

std::string PlaceOf(const fs::path& path, int64_t line) {
  return line > 0 ? fmt::format("{}:{}", path.string(), line) : path.string();
}

void CountSpacing(const CandleRows& rows, SpacingCount& spacing) {
  std::vector<std::optional<TimeMs>> last(std::max<size_t>(1, rows.symbols.size()));
  for (size_t i = 0; i < rows.size(); ++i) {
    auto& before = last[rows.symbol.empty() ? 0 : rows.symbol[i]];
    if (before) spacing.Add(rows.time[i] - *before);
    before = rows.time[i];
  }
}

}  // namespace

CandleFile::CandleFile(const fs::path& path, const ImportOptions& options)
    : path_(path), input_(path) {
  FillBuffer();
  SkipByteOrderMark();
  const size_t content = buffer_.find_first_not_of(" \t\r\n");
  is_json_ = content != std::string::npos && (buffer_[content] == '[' || buffer_[content] == '{');
  FilePiece piece;
  if (!ReadPiece(piece)) {
    if (problem_) Refuse(problem_->line, problem_->reason);
    if (!is_json_) Refuse(0, "the file is empty");
    layout_.form_name = "JSON";  // an empty array
    return;
  }
  first_piece_ = std::move(piece);
  is_json_ ? DetectJson(options) : DetectCsv(options);
  DetectSymbol(options);
  DetectTimeframe(options);
}

BadFile::BadFile(const fs::path& path, int64_t line, const std::string& what,
                 const std::string& remedy)
    : Error(ErrorCode::kBadData, PlaceOf(path, line), what, remedy),
      path_(path.string()),
      line_(line) {}

BadLine BadFile::AsBadLine() const {
  return {path_, line_, remedy().empty() ? problem() : problem() + "; " + remedy()};
}

void CandleFile::Refuse(int64_t line, const std::string& what, const std::string& remedy) const {
  throw BadFile(path_, line, what, remedy);
}

void CandleFile::SkipByteOrderMark() {
  constexpr std::string_view kUtf8 = "\xef\xbb\xbf";
  if (buffer_.starts_with(kUtf8)) buffer_.erase(0, kUtf8.size());
  if (buffer_.starts_with("\xff\xfe") || buffer_.starts_with("\xfe\xff")) {
    Refuse(0, "the text is UTF-16, which is not read", "save it as UTF-8");
  }
}

void CandleFile::EndWith(int64_t line, std::string reason) {
  at_end_ = true;
  if (!problem_) problem_ = BadLine{path_.string(), line, std::move(reason)};
}

void CandleFile::FillBuffer() {
  size_t had = buffer_.size();
  if (at_end_ || had >= kPieceBytes) return;
  try {
    while (!at_end_ && had < kPieceBytes) {
      // Growing as it fills: most files of a folder full of them are small.
      buffer_.resize(std::min(kPieceBytes, std::max(kFirstBytes, 2 * had)));
      const size_t count = input_.Read(buffer_.data() + had, buffer_.size() - had);
      at_end_ = count == 0;
      had += count;
    }
    buffer_.resize(had);
  } catch (const Error& error) {
    buffer_.resize(had);
    if (error.code() != ErrorCode::kBadData) throw;
    // The line is that of the beginning of what could not be read whole.
    const auto lines = std::count(buffer_.begin(), buffer_.end(), '\n');
    EndWith(next_line_ + lines, error.problem());
  }
}

// How much of the buffer are whole lines or elements.
size_t CandleFile::WholePart() {
  if (!is_json_) {
    const bool last_line_is_whole = at_end_ && !problem_;
    if (last_line_is_whole) return buffer_.size();
    const size_t line_end = buffer_.rfind('\n');
    return line_end == std::string::npos ? 0 : line_end + 1;
  }
  const size_t seen = std::exchange(cutter_seen_, buffer_.size());
  const size_t whole = cutter_.Feed(std::string_view(buffer_).substr(seen));
  if (!cutter_.problem().empty()) {
    EndWith(cutter_.line() + 1, cutter_.problem());
  } else if (at_end_ && cutter_.EndProblem() != nullptr) {
    EndWith(cutter_.line() + 1, cutter_.EndProblem());
  }
  return whole == 0 ? 0 : seen + whole;
}

bool CandleFile::ReadPiece(FilePiece& piece) {
  FillBuffer();
  const int64_t first_element = cutter_.elements();
  const size_t whole = WholePart();
  if (whole == 0) {
    if (!at_end_) {
      EndWith(next_line_, fmt::format("a {} is longer than {}", is_json_ ? "bar" : "line",
                                      FormatBytes(kPieceBytes)));
    }
    return false;
  }
  piece.text = buffer_.substr(0, whole);
  piece.first_line = next_line_;
  piece.first_element = first_element;
  buffer_.erase(0, whole);
  cutter_seen_ = is_json_ ? buffer_.size() : 0;
  next_line_ += std::count(piece.text.begin(), piece.text.end(), '\n');
  return true;
}

bool CandleFile::Next(FilePiece& piece) {
  if (!first_piece_) return ReadPiece(piece);
  piece = std::move(*first_piece_);
  first_piece_.reset();
  return true;
}

CandleRows CandleFile::Parse(const FilePiece& piece) const {
  CandleRows rows = is_json_ ? ReadJsonRows(piece.text, layout_, piece.first_element)
                             : ReadCsvRows(piece.text, layout_);
  if (timeframe_) RefuseOffGrid(rows, *timeframe_);
  return rows;
}

// Takes blank lines and the first other one off the first piece.
std::string CandleFile::TakeHeaderLine() {
  std::string_view rest = first_piece_->text;
  std::string_view line;
  while (!rest.empty() && Trim(line).empty()) {
    line = TakeLine(rest);
    ++first_piece_->first_line;
  }
  if (Trim(line).empty()) Refuse(0, "the file is empty");
  std::string header(line);
  first_piece_->text.erase(0, first_piece_->text.size() - rest.size());
  return header;
}

void CandleFile::DetectCsv(const ImportOptions& options) {
  const std::string line = TakeHeaderLine();
  const int64_t line_number = first_piece_->first_line - 1;
  layout_.delimiter = DetectDelimiter(line);
  FieldSplitter splitter(layout_.delimiter);
  if (const char* problem = splitter.Split(line)) Refuse(line_number, problem);
  layout_.width = splitter.fields().size();
  layout_.form_name = "CSV";
  const bool has_header = IsHeader(splitter.fields());
  std::map<std::string, std::string> given = options.columns;
  if (has_header) {
    layout_.header.assign(splitter.fields().begin(), splitter.fields().end());
    if (IsBinanceHeader(layout_.header)) layout_.form_name = "Binance dump";
  } else {
    NameColumnsByPosition(line_number, given);
    first_piece_->text.insert(0, line + "\n");
    --first_piece_->first_line;
  }
  try {
    layout_.columns = MapColumns(CandleFields(), layout_.header, given);
  } catch (const Error& error) {
    Refuse(line_number, error.problem(), error.remedy());
  }
  DetectTime(SampleCsvTimes(first_piece_->text, layout_, kTimeSamples), options);
}

// Of a text without a header: what the user says, else what a Binance dump has.
void CandleFile::NameColumnsByPosition(int64_t line, std::map<std::string, std::string>& given) {
  layout_.header = PositionNames(layout_.width);
  if (!given.empty()) return;
  if (layout_.width != kBinanceWidth) {
    Refuse(line,
           fmt::format("there is no header, and {} columns are not a Binance dump's {}",
                       layout_.width, kBinanceWidth),
           "give the file a header, or name the columns by position: --column time=#1 "
           "--column open=#2 ...");
  }
  given = BinanceColumns();
  layout_.form_name = "Binance dump";
}

void CandleFile::DetectJson(const ImportOptions& options) {
  layout_.form_name = "JSON";
  try {
    const JsonShape shape = FirstJsonShape(first_piece_->text);
    layout_.form =
        shape.is_object ? CandleLayout::Form::kJsonObjects : CandleLayout::Form::kJsonArrays;
    layout_.width = shape.size;
    layout_.header = shape.is_object ? shape.keys : PositionNames(shape.size);
    std::map<std::string, std::string> given = options.columns;
    if (!shape.is_object && given.empty()) {
      if (shape.size != kBinanceWidth && shape.size != kShortBarWidth) {
        throw Error(ErrorCode::kBadData, "",
                    fmt::format("bars of {} values are not known; they have 12 (Binance) or 6 "
                                "(time, open, high, low, close, volume)",
                                shape.size),
                    "name the values by position: --column time=#1 --column open=#2 ...");
      }
      given = shape.size == kBinanceWidth ? BinanceColumns() : kShortBarColumns;
    }
    layout_.columns = MapColumns(CandleFields(), layout_.header, given);
  } catch (const Error& error) {
    Refuse(1, error.problem(), error.remedy());
  }
  DetectTime(SampleJsonTimes(first_piece_->text, layout_, kTimeSamples), options);
}

void CandleFile::DetectTime(const std::vector<std::string>& samples, const ImportOptions& options) {
  if (samples.empty()) return;  // every line so far is a bad one
  const std::optional<TimeUnit> named = layout_.columns.time_unit;
  auto reader = TimeReader::Detect(samples, options.time_unit);
  if (!options.time_unit && named) {
    if (reader && reader->unit() && reader->unit() != named) {
      Refuse(first_piece_->first_line,
             fmt::format("the times look like {}, but their column's name says {}", reader->name(),
                         NameOf(*named)),
             "say the unit by --time-unit");
    }
    reader = TimeReader::Detect(samples, named);
  }
  if (!reader) {
    Refuse(first_piece_->first_line, fmt::format("'{}' is not a time", ShownText(samples.front())),
           "times are counts since 1970 in s, ms, us or ns (from 1973 on, or with "
           "--time-unit), or ISO 8601 such as 2024-01-31T13:05:00Z");
  }
  layout_.time = *reader;
}

void CandleFile::DetectSymbol(const ImportOptions& options) {
  if (layout_.Has(kSymbolField)) {
    if (!options.symbol) return;
    const auto column = static_cast<size_t>(layout_.columns.column[kSymbolField]);
    Refuse(0,
           fmt::format("the file has its symbols in the column '{}', so that '{}' cannot be "
                       "the symbol of all",
                       ShownText(layout_.header[column]), *options.symbol),
           "leave out --symbol");
  }
  const NameFacts facts = ReadName(path_);
  if (!options.symbol && !facts.symbol) {
    Refuse(0,
           "whose bars are these? There is no symbol column, and neither the file's name nor "
           "its folders' is a symbol",
           "say it by --symbol");
  }
  symbol_ = options.symbol ? *options.symbol : *facts.symbol;
}

void CandleFile::DetectTimeframe(const ImportOptions& options) {
  const CandleRows rows = Parse(*first_piece_);
  SpacingCount spacing;
  CountSpacing(rows, spacing);
  const NameFacts facts = ReadName(path_);
  if (options.timeframe) {
    timeframe_ = options.timeframe;
    timeframe_from_ = "--timeframe";
  } else if (!facts.unknown_length.empty()) {
    Refuse(0,
           fmt::format("the name says bars of length {}, which Almanac does not have",
                       facts.unknown_length),
           "the lengths are 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 1w");
  } else if (facts.timeframe) {
    timeframe_ = facts.timeframe;
    timeframe_from_ = fmt::format("the name '{}'", facts.timeframe_from);
  }
  if (timeframe_) {
    const std::string contradiction = spacing.Contradiction(*timeframe_);
    if (contradiction.empty()) return;
    Refuse(
        0,
        fmt::format("{} says {} bars, but {}", timeframe_from_, timeframe_->name(), contradiction),
        "say the right one by --timeframe");
  }
  if (rows.size() == 0) return;
  const auto common = spacing.MostCommon();
  timeframe_ = common ? Timeframe::FromDuration(*common) : std::nullopt;
  timeframe_from_ = "the most common spacing";
  if (timeframe_) return;
  Refuse(0,
         common ? fmt::format("the bars are mostly {} apart, which is no length of bars",
                              FormatDuration(*common))
                : "one bar does not tell its length",
         "say it by --timeframe (1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 1w)");
}

}  // namespace almanac
