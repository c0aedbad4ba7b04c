// Bars written as one JSON array of arrays or of objects, read piece by piece: a piece is a number
// of whole elements, so that memory does not grow with the file.
#ifndef ALMANAC_SOURCE_JSON_ROWS_H_
#define ALMANAC_SOURCE_JSON_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/source/candle_rows.h"

namespace almanac {

// Follows the brackets of a JSON text from its beginning and says where its array's elements end.
class JsonArrayCutter {
 public:
  // Looks at `text`, which continues what was given before. Returns the number of its bytes up to
  // the end of the last element that is whole; 0 if none ends in it. Stops at the first thing that
  // is wrong: see problem().
  size_t Feed(std::string_view text);
  // How many elements have ended so far.
  int64_t elements() const { return elements_; }
  // What is wrong, and on which line of the whole text (from 0).
  const std::string& problem() const { return problem_; }
  int64_t line() const { return line_; }
  // To be asked at the end of the text: what is wrong if it ends here, or nullptr.
  const char* EndProblem() const;

 private:
  enum class State { kBefore, kBetween, kAfterComma, kAfterElement, kElement, kDone };
  void Step(char c);
  void StepOutside(char c);
  void StepElement(char c);

  State state_ = State::kBefore;
  int depth_ = 0;  // brackets open inside the element
  bool in_string_ = false, escaped_ = false;
  int64_t elements_ = 0, line_ = 0;
  std::string problem_;
};

// The shape of the first element of an array, from the array's first piece.
struct JsonShape {
  bool is_object = false;
  size_t size = 0;                // elements or members
  std::vector<std::string> keys;  // of an object
};
// Throws Error(kBadData), whose place is empty, if the element is not well formed.
JsonShape FirstJsonShape(std::string_view piece);

// The times, as written, of the first elements of the array's first piece.
std::vector<std::string> SampleJsonTimes(std::string_view piece, const CandleLayout& layout,
                                         size_t limit);

// The elements of a piece that JsonArrayCutter cut (the first piece has the array's '[' too). The
// line of a row is the line on which its element begins. `first_element`: how many elements came
// before this piece, for the texts of errors.
CandleRows ReadJsonRows(std::string_view piece, const CandleLayout& layout, int64_t first_element);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_JSON_ROWS_H_
