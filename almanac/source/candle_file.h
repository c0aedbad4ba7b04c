// One file of bars, opened: what its form, symbol and timeframe are, and its content in pieces of
// whole lines or elements.
#ifndef ALMANAC_SOURCE_CANDLE_FILE_H_
#define ALMANAC_SOURCE_CANDLE_FILE_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/market/timeframe.h"
#include "almanac/source/candle_rows.h"
#include "almanac/source/import.h"
#include "almanac/source/input_file.h"
#include "almanac/source/json_rows.h"

namespace almanac {

// A number of whole lines or elements.
struct FilePiece {
  std::string text;
  int64_t first_line = 1;     // of the file, from 1
  int64_t first_element = 0;  // JSON: elements before this piece
};

// A file that cannot be used at all; the place is "PATH:LINE", or "PATH" if `line` is 0.
class BadFile : public Error {
 public:
  BadFile(const std::filesystem::path& path, int64_t line, const std::string& what,
          const std::string& remedy = "");
  BadLine AsBadLine() const;

 private:
  std::string path_;
  int64_t line_;
};

class CandleFile {
 public:
  // Reads the beginning of the file and finds out everything about it. Throws BadFile if that
  // cannot be done: empty, no such columns, no symbol, no timeframe, a timeframe that contradicts
  // the times; and what InputFile throws.
  CandleFile(const std::filesystem::path& path, const ImportOptions& options);

  const std::filesystem::path& path() const { return path_; }
  const CandleLayout& layout() const { return layout_; }
  // Nothing if the file has no bars at all, which is not an error.
  std::optional<Timeframe> timeframe() const { return timeframe_; }
  std::string timeframe_from() const { return timeframe_from_; }
  // "" if there is a symbol column.
  const std::string& symbol() const { return symbol_; }
  int64_t packed_bytes() const { return input_.packed_bytes(); }
  int64_t packed_position() const { return input_.packed_position(); }

  // Whether there was another piece.
  bool Next(FilePiece& piece);
  // After Next gave false: what ended the file before its end (damage, a line without end).
  const std::optional<BadLine>& problem() const { return problem_; }

  // May be called for several pieces at once.
  CandleRows Parse(const FilePiece& piece) const;

 private:
  bool ReadPiece(FilePiece& piece);
  size_t WholePart();
  void FillBuffer();
  void EndWith(int64_t line, std::string reason);
  void SkipByteOrderMark();
  std::string TakeHeaderLine();
  void DetectCsv(const ImportOptions& options);
  void NameColumnsByPosition(int64_t line, std::map<std::string, std::string>& given);
  void DetectJson(const ImportOptions& options);
  void DetectTime(const std::vector<std::string>& samples, const ImportOptions& options);
  void DetectSymbol(const ImportOptions& options);
  void DetectTimeframe(const ImportOptions& options);
  [[noreturn]] void Refuse(int64_t line, const std::string& what,
                           const std::string& remedy = "") const;

  std::filesystem::path path_;
  InputFile input_;
  CandleLayout layout_;
  std::string symbol_, timeframe_from_;
  std::optional<Timeframe> timeframe_;
  std::optional<BadLine> problem_;

  std::string buffer_;      // read, not yet given out
  size_t cutter_seen_ = 0;  // how much of `buffer_` the cutter was fed
  bool is_json_ = false, at_end_ = false;
  int64_t next_line_ = 1;
  JsonArrayCutter cutter_;
  std::optional<FilePiece> first_piece_;
};

}  // namespace almanac

#endif  // ALMANAC_SOURCE_CANDLE_FILE_H_
