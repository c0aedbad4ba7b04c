#include "almanac/source/csv.h"

#include <cstring>

namespace almanac {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

std::string_view WithoutBlanks(const char* first, const char* last) {
  while (first != last && IsBlank(*first)) ++first;
  while (first != last && IsBlank(last[-1])) --last;
  return {first, static_cast<size_t>(last - first)};
}

}  // namespace

char DetectDelimiter(std::string_view line) {
  char best = ',';
  size_t most = 0;
  for (const char candidate : {',', ';', '\t', '|'}) {
    size_t count = 0;
    bool quoted = false;
    for (const char c : line) {
      if (c == '"') quoted = !quoted;
      if (c == candidate && !quoted) ++count;
    }
    if (count <= most) continue;
    most = count;
    best = candidate;
  }
  return best;
}

std::string_view TakeLine(std::string_view& text) {
  const void* end = std::memchr(text.data(), '\n', text.size());
  const size_t length = end == nullptr
                            ? text.size()
                            : static_cast<size_t>(static_cast<const char*>(end) - text.data());
  std::string_view line = text.substr(0, length);
  text.remove_prefix(end == nullptr ? length : length + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

std::string ShownText(std::string_view text) {
  constexpr size_t kLongest = 40;
  std::string shown(text.substr(0, kLongest));
  for (char& c : shown) {
    if (c < ' ' || c > '~') c = '?';  // bytes above 127 are negative, or above '~'
  }
  return text.size() > kLongest ? shown + "..." : shown;
}

const char* FieldSplitter::Split(std::string_view line) {
  fields_.clear();
  if (std::memchr(line.data(), '"', line.size()) != nullptr) return SplitQuoted(line);
  SplitPlain(line);
  return nullptr;
}

void FieldSplitter::SplitPlain(std::string_view line) {
  const char* begin = line.data();
  const char* const end = begin + line.size();
  for (const char* p = begin;; ++p) {
    if (p != end && *p != delimiter_) continue;
    fields_.push_back(WithoutBlanks(begin, p));
    if (p == end) return;
    begin = p + 1;
  }
}

const char* FieldSplitter::SplitQuoted(std::string_view line) {
  unquoted_.clear();
  const char* p = line.data();
  const char* const end = p + line.size();
  while (true) {
    while (p != end && IsBlank(*p) && *p != delimiter_) ++p;
    if (p != end && *p == '"') {
      std::string& field = unquoted_.emplace_back();
      for (++p;; ++p) {
        if (p == end) return "a quote is opened and not closed";
        if (*p != '"') {
          field += *p;
        } else if (p + 1 != end && p[1] == '"') {
          field += *p++;
        } else {
          break;
        }
      }
      for (++p; p != end && IsBlank(*p) && *p != delimiter_;) ++p;
      if (p != end && *p != delimiter_) return "text follows a closing quote";
      fields_.push_back(field);
    } else {
      const char* const begin = p;
      while (p != end && *p != delimiter_) ++p;
      fields_.push_back(WithoutBlanks(begin, p));
    }
    if (p == end) return nullptr;
    ++p;
  }
}

}  // namespace almanac
