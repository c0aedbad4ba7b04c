// The lines and fields of delimited text. A record is one line: a quoted field may hold delimiters
// and doubled quotes, but no line end.
#ifndef ALMANAC_SOURCE_CSV_H_
#define ALMANAC_SOURCE_CSV_H_

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// The one of , ; tab | that occurs most often outside quotes in `line`; ',' if none does.
char DetectDelimiter(std::string_view line);

// Takes the first line off `text`, without its "\n" or "\r\n".
std::string_view TakeLine(std::string_view& text);

// A piece of a file as an error shows it: at most 40 bytes, everything but printable ASCII as '?'.
std::string ShownText(std::string_view text);

// Splits lines into fields. The fields are views into the line, or, where quotes had to be undone,
// into the object; both kinds hold until the next call. Spaces and tabs around a field are left out
// (unless they are the delimiter, or quoted).
class FieldSplitter {
 public:
  explicit FieldSplitter(char delimiter) : delimiter_(delimiter) {}

  // Nullptr if the line was split into fields(), else what is wrong with its quotes.
  const char* Split(std::string_view line);
  const std::vector<std::string_view>& fields() const { return fields_; }

 private:
  void SplitPlain(std::string_view line);
  const char* SplitQuoted(std::string_view line);

  char delimiter_;
  std::vector<std::string_view> fields_;
  std::deque<std::string> unquoted_;  // a deque, so that views into it stay good as it grows
};

}  // namespace almanac

#endif  // ALMANAC_SOURCE_CSV_H_
