#include "almanac/lake/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <optional>
#include <stdexcept>

#include "almanac/base/text.h"

namespace almanac {
namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6);
// Fit for any SIMD load, and what NumPy pads to.
constexpr size_t kAlignment = 64;
constexpr size_t kVersionAt = 6;
constexpr size_t kLengthAt = 8;
constexpr size_t kShortPreamble = 10;  // magic, version, 2 bytes of length
constexpr size_t kLongPreamble = 12;   // version 2.0 has 4 bytes of length

[[noreturn]] void Fail(std::string_view problem) {
  throw std::invalid_argument(std::string(problem));
}

// What Python's repr writes for this dictionary, and nothing more of the language.
class DictionaryParser {
 public:
  explicit DictionaryParser(std::string_view text) : text_(text) {}

  NpyHeader Parse() {
    std::optional<std::string> descr;
    std::optional<bool> fortran_order;
    std::optional<std::vector<uint64_t>> shape;
    Expect('{');
    while (!Take('}')) {
      const std::string key = Quoted();
      Expect(':');
      if (key == "descr" && !descr) {
        descr = Quoted();
      } else if (key == "fortran_order" && !fortran_order) {
        fortran_order = Boolean();
      } else if (key == "shape" && !shape) {
        shape = Tuple();
      } else {
        Fail(fmt::format("its header has the key '{}' where it should not", key));
      }
      if (!Take(',') && !Ahead('}')) Fail("its header is no dictionary");
    }
    if (!Trim(text_.substr(at_)).empty()) Fail("its header goes on after the dictionary");
    if (!descr || !fortran_order || !shape) {
      Fail("its header lacks descr, fortran_order or shape");
    }
    return {*descr, *fortran_order, *shape};
  }

 private:
  void SkipSpaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool Ahead(char c) {
    SkipSpaces();
    return at_ < text_.size() && text_[at_] == c;
  }
  bool Take(char c) {
    if (!Ahead(c)) return false;
    ++at_;
    return true;
  }
  void Expect(char c) {
    if (!Take(c)) Fail(fmt::format("its header lacks a '{}'", c));
  }
  std::string Quoted() {
    const char quote = Ahead('"') ? '"' : '\'';
    Expect(quote);
    const size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) Fail("its header has a text without an end");
    std::string text(text_.substr(at_, end - at_));
    at_ = end + 1;
    return text;
  }
  bool Boolean() {
    SkipSpaces();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return value;
    }
    Fail("fortran_order is neither True nor False");
  }
  std::vector<uint64_t> Tuple() {
    std::vector<uint64_t> values;
    Expect('(');
    while (!Take(')')) {
      SkipSpaces();
      uint64_t value = 0;
      const char* end = text_.data() + text_.size();
      const auto [next, error] = std::from_chars(text_.data() + at_, end, value);
      if (error != std::errc()) Fail("its shape is not whole numbers");
      at_ = static_cast<size_t>(next - text_.data());
      values.push_back(value);
      if (!Take(',') && !Ahead(')')) Fail("its shape is no tuple");
    }
    return values;
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

std::string ToText(const NpyHeader& header) {
  const std::string one = header.shape.size() == 1 ? "," : "";
  return fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': ({}{}), }}", header.descr,
                     header.fortran_order ? "True" : "False", fmt::join(header.shape, ", "), one);
}

std::string NpyPreamble(const NpyHeader& header) {
  std::string dictionary = ToText(header);
  const size_t unpadded = kShortPreamble + dictionary.size() + 1;
  dictionary.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  dictionary += '\n';
  std::string preamble(kMagic);
  preamble += {'\x01', '\x00'};
  constexpr unsigned kByte = 0xFF;
  constexpr int kByteBits = 8;
  preamble += static_cast<char>(dictionary.size() & kByte);
  preamble += static_cast<char>(dictionary.size() >> kByteBits);
  return preamble + dictionary;
}

ParsedNpy ParseNpy(std::string_view content) {
  if (!content.starts_with(kMagic) || content.size() < kShortPreamble) {
    Fail("it is not an .npy file");
  }
  const int major = static_cast<unsigned char>(content[kVersionAt]);
  const int minor = static_cast<unsigned char>(content[kVersionAt + 1]);
  if ((major != 1 && major != 2) || minor != 0) {
    Fail(fmt::format("its version {}.{} is not read; 1.0 and 2.0 are", major, minor));
  }
  const size_t begin = major == 1 ? kShortPreamble : kLongPreamble;
  if (content.size() < begin) Fail("it ends within its header");
  size_t length = 0;
  constexpr int kByteBits = 8;
  for (size_t i = begin; i > kLengthAt; --i) {
    length = (length << kByteBits) | static_cast<unsigned char>(content[i - 1]);
  }
  if (content.size() - begin < length) Fail("it ends within its header");
  return {DictionaryParser(content.substr(begin, length)).Parse(), begin + length};
}

}  // namespace almanac
