#include "almanac/source/json_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "almanac/base/error.h"

namespace almanac {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Reads the parts of one element. Every Take function leaves the position behind what it took, and
// gives false where something else stands there.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  size_t position() const { return position_; }
  bool AtEnd() const { return position_ == text_.size(); }
  void SkipSpace() {
    while (!AtEnd() && IsSpace(text_[position_])) ++position_;
  }
  bool Take(char c) {
    SkipSpace();
    if (AtEnd() || text_[position_] != c) return false;
    ++position_;
    return true;
  }
  // The content between quotes, escapes as they are written.
  bool TakeString(std::string_view& content) {
    if (!Take('"')) return false;
    const size_t begin = position_;
    for (; !AtEnd() && text_[position_] != '"'; ++position_) {
      if (static_cast<unsigned char>(text_[position_]) < ' ') return false;
      if (text_[position_] == '\\') ++position_;
    }
    if (position_ >= text_.size()) return false;
    content = text_.substr(begin, position_++ - begin);
    return true;
  }
  // A string's content, a number or a word as written, "" for null, the whole text of anything
  // nested.
  bool TakeValue(std::string_view& value) {
    SkipSpace();
    if (AtEnd()) return false;
    const char c = text_[position_];
    if (c == '"') return TakeString(value);
    if (c == '[' || c == '{') return TakeNested(value);
    const size_t begin = position_;
    while (!AtEnd() && IsWordPart(text_[position_])) ++position_;
    value = text_.substr(begin, position_ - begin);
    if (value == "null") {
      value = "";
      return true;
    }
    const bool number = (c >= '0' && c <= '9') || c == '-';
    return number || value == "true" || value == "false";
  }

 private:
  static bool IsWordPart(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '+' || c == '.';
  }
  bool TakeNested(std::string_view& value) {
    const size_t begin = position_;
    int depth = 0;
    std::string_view ignored;
    while (!AtEnd()) {
      const char c = text_[position_];
      if (c == '"') {
        if (!TakeString(ignored)) return false;
        continue;
      }
      ++position_;
      if (c == '[' || c == '{') ++depth;
      if ((c == ']' || c == '}') && --depth == 0) {
        value = text_.substr(begin, position_ - begin);
        return true;
      }
    }
    return false;
  }

  std::string_view text_;
  size_t position_ = 0;
};

constexpr const char* kMalformed = "this is not well-formed JSON";

// The values of an array; false if it is malformed.
bool ReadArray(Cursor& cursor, std::vector<std::string_view>& values) {
  values.clear();
  if (!cursor.Take('[')) return false;
  if (cursor.Take(']')) return true;
  while (true) {
    std::string_view value;
    if (!cursor.TakeValue(value)) return false;
    values.push_back(value);
    if (cursor.Take(']')) return true;
    if (!cursor.Take(',')) return false;
  }
}

bool ReadObject(Cursor& cursor, std::vector<std::string_view>& keys,
                std::vector<std::string_view>& values) {
  keys.clear();
  values.clear();
  if (!cursor.Take('{')) return false;
  if (cursor.Take('}')) return true;
  while (true) {
    std::string_view key, value;
    if (!cursor.TakeString(key) || !cursor.Take(':') || !cursor.TakeValue(value)) return false;
    keys.push_back(key);
    values.push_back(value);
    if (cursor.Take('}')) return true;
    if (!cursor.Take(',')) return false;
  }
}

// Takes the fields out of an element. The texts hold until the next call.
class ElementReader {
 public:
  explicit ElementReader(const CandleLayout& layout) : layout_(layout) {}

  // What is wrong, or "".
  std::string Read(std::string_view element, CandleRowBuilder::Texts& texts) {
    const bool objects = layout_.form == CandleLayout::Form::kJsonObjects;
    if (objects && element.front() == '[') return "an array where objects came before";
    if (!objects && element.front() == '{') return "an object where arrays came before";
    Cursor cursor(element);
    if (objects ? !ReadObject(cursor, keys_, values_) : !ReadArray(cursor, values_)) {
      return kMalformed;
    }
    if (!objects && values_.size() != layout_.width) {
      return fmt::format("{} values where {} are due", values_.size(), layout_.width);
    }
    for (size_t f = 0; f < kCandleFieldCount; ++f) {
      const int column = layout_.columns.column[f];
      if (column < 0) continue;
      const auto place = static_cast<size_t>(column);
      texts[f] = objects ? Member(place) : values_[place];
    }
    return "";
  }

 private:
  // Mostly the members stand in the order of the first object; otherwise they are looked up.
  std::string_view Member(size_t place) const {
    const std::string& name = layout_.header[place];
    if (place < keys_.size() && keys_[place] == name) return values_[place];
    const auto it = std::find(keys_.begin(), keys_.end(), name);
    return it == keys_.end() ? "" : values_[static_cast<size_t>(it - keys_.begin())];
  }

  const CandleLayout& layout_;
  std::vector<std::string_view> keys_, values_;
};

// The length of the element at the front of `text`, which is whole.
size_t ElementLength(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && --depth == 0) return i + 1;
  }
  return text.size();
}

// Calls visit(element, line) for the elements of a piece; returns its number of line ends.
template <typename Visit>
uint32_t ForEachElement(std::string_view piece, bool bracket_due, const Visit& visit) {
  uint32_t line = 0;
  for (size_t position = 0; position < piece.size();) {
    const char c = piece[position];
    const bool element_begins = !bracket_due && (c == '[' || c == '{');
    if (!element_begins) {
      bracket_due = bracket_due && c != '[';
      line += c == '\n';
      ++position;
      continue;
    }
    const std::string_view rest = piece.substr(position);
    const std::string_view element = rest.substr(0, ElementLength(rest));
    visit(element, line);
    line += static_cast<uint32_t>(std::count(element.begin(), element.end(), '\n'));
    position += element.size();
  }
  return line;
}

}  // namespace

size_t JsonArrayCutter::Feed(std::string_view text) {
  size_t whole = 0;
  for (size_t i = 0; i < text.size() && problem_.empty(); ++i) {
    const int64_t before = elements_;
    Step(text[i]);
    if (elements_ > before) whole = i + 1;
  }
  return whole;
}

void JsonArrayCutter::Step(char c) {
  if (state_ == State::kElement) {
    StepElement(c);
  } else if (!IsSpace(c)) {
    StepOutside(c);
  }
  if (c == '\n' && problem_.empty()) ++line_;
}

void JsonArrayCutter::StepElement(char c) {
  if (in_string_) {
    const bool ends = c == '"' && !escaped_;
    escaped_ = c == '\\' && !escaped_;
    in_string_ = !ends;
    return;
  }
  if (c == '"') in_string_ = true;
  if (c == '[' || c == '{') ++depth_;
  if ((c == ']' || c == '}') && --depth_ == 0) {
    state_ = State::kAfterElement;
    ++elements_;
  }
}

void JsonArrayCutter::StepOutside(char c) {
  const bool element_may_begin = state_ == State::kBetween || state_ == State::kAfterComma;
  if (state_ == State::kBefore && c == '[') {
    state_ = State::kBetween;
  } else if (element_may_begin && (c == '[' || c == '{')) {
    state_ = State::kElement;
    depth_ = 1;
  } else if (c == ']' && (state_ == State::kBetween || state_ == State::kAfterElement)) {
    state_ = State::kDone;
  } else if (c == ',' && state_ == State::kAfterElement) {
    state_ = State::kAfterComma;
  } else if (state_ == State::kBefore) {
    problem_ = "the JSON text must be one array of bars, but it does not begin with '['";
  } else if (state_ == State::kDone) {
    problem_ = "text follows the end of the JSON array";
  } else if (state_ == State::kAfterElement) {
    problem_ = "a ',' or ']' must follow an element of the JSON array";
  } else {
    problem_ = "every element of the JSON array must be an array or an object";
  }
}

const char* JsonArrayCutter::EndProblem() const {
  if (state_ == State::kDone) return nullptr;
  return "the JSON array is not closed, the text ends too early";
}

JsonShape FirstJsonShape(std::string_view piece) {
  Cursor cursor(piece);
  cursor.Take('[');
  cursor.SkipSpace();
  piece.remove_prefix(cursor.position());
  const std::string_view element = piece.substr(0, ElementLength(piece));
  Cursor inside(element);
  std::vector<std::string_view> keys, values;
  JsonShape shape;
  shape.is_object = element.starts_with('{');
  const bool read = shape.is_object ? ReadObject(inside, keys, values) : ReadArray(inside, values);
  if (!read) throw Error(ErrorCode::kBadData, "", kMalformed);
  shape.size = values.size();
  shape.keys.assign(keys.begin(), keys.end());
  return shape;
}

std::vector<std::string> SampleJsonTimes(std::string_view piece, const CandleLayout& layout,
                                         size_t limit) {
  ElementReader reader(layout);
  std::vector<std::string> samples;
  ForEachElement(piece, true, [&](std::string_view element, uint32_t) {
    CandleRowBuilder::Texts texts;
    if (samples.size() < limit && reader.Read(element, texts).empty()) {
      samples.emplace_back(texts[kTimeField]);
    }
  });
  return samples;
}

CandleRows ReadJsonRows(std::string_view piece, const CandleLayout& layout, int64_t first_element) {
  constexpr size_t kShortElement = 60;  // bytes
  CandleRows rows;
  CandleRowBuilder builder(layout, rows, piece.size() / kShortElement);
  ElementReader reader(layout);
  int64_t number = first_element;
  const auto add = [&](std::string_view element, uint32_t line) {
    ++number;
    CandleRowBuilder::Texts texts;
    std::string problem = reader.Read(element, texts);
    if (!problem.empty()) {
      builder.AddBad(line, fmt::format("element {}: {}", number, problem));
    } else if (!builder.Add(texts, line)) {
      rows.bad.back().reason.insert(0, fmt::format("element {}: ", number));
    }
  };
  rows.line_count = ForEachElement(piece, first_element == 0, add);
  return rows;
}

}  // namespace almanac
