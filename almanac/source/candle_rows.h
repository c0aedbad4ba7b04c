// Bars read from a piece of a file, field by field, and the lines of it that are none.
#ifndef ALMANAC_SOURCE_CANDLE_ROWS_H_
#define ALMANAC_SOURCE_CANDLE_ROWS_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/market/timeframe.h"
#include "almanac/source/import_columns.h"
#include "almanac/source/import_time.h"

namespace almanac {

// How the bars of one file are written.
struct CandleLayout {
  enum class Form { kCsv, kJsonArrays, kJsonObjects };
  Form form = Form::kCsv;
  std::string form_name;  // for the report: "CSV", "Binance dump", "JSON"
  char delimiter = ',';
  // Of CSV the header's names, of JSON objects the keys of the first one.
  std::vector<std::string> header;
  size_t width = 0;  // fields a line, elements an array
  ColumnMap columns;
  TimeReader time = TimeReader::Iso();

  bool Has(CandleField field) const { return columns.column[field] >= 0; }
};

// One array a field, in the order of the file. Line numbers count from 0 at the start of the piece.
struct CandleRows {
  std::vector<TimeMs> time;
  std::vector<double> open, high, low, close, volume;
  std::vector<double> trade_count, vwap;  // empty if the layout has no such column
  std::vector<uint32_t> line;
  std::vector<uint32_t> symbol;      // index into `symbols`; empty if there is no such column
  std::vector<std::string> symbols;  // in the order of their first line

  struct Bad {
    uint32_t line = 0;
    std::string reason;
  };
  std::vector<Bad> bad;     // ascending lines
  uint32_t line_count = 0;  // lines in the piece

  size_t size() const { return time.size(); }
};

// Turns the texts of a line's fields into a bar of `rows`, or into a bad line.
class CandleRowBuilder {
 public:
  using Texts = std::array<std::string_view, kCandleFieldCount>;  // "": not given

  CandleRowBuilder(const CandleLayout& layout, CandleRows& rows, size_t expected_rows);
  // Whether it was a good one.
  bool Add(const Texts& texts, uint32_t line);
  void AddBad(uint32_t line, std::string reason);

 private:
  bool ReadPrices(const Texts& texts, uint32_t line, std::array<double, 4>& prices);
  bool ReadAmount(const Texts& texts, CandleField field, uint32_t line, double& value);
  bool ReadSymbol(std::string_view text, uint32_t line, uint32_t& index);

  const CandleLayout& layout_;
  CandleRows& rows_;
  std::unordered_map<std::string, uint32_t> symbol_index_;
};

// The times, as written, of the first lines.
std::vector<std::string> SampleCsvTimes(std::string_view text, const CandleLayout& layout,
                                        size_t limit);
// Whole lines of delimited text, without the header.
CandleRows ReadCsvRows(std::string_view text, const CandleLayout& layout);

// Makes bad lines of the rows whose time is not on the grid (daily and weekly bars may open at any
// time of day).
void RefuseOffGrid(CandleRows& rows, Timeframe timeframe);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_CANDLE_ROWS_H_
