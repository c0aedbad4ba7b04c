#include "almanac/report/markup.h"

#include <fmt/format.h>

#include "almanac/base/text.h"

namespace almanac {
namespace {

bool IsKeyCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

// Where the key of a line begins and ends (before its colon); equal if there is none.
std::pair<size_t, size_t> KeyOf(std::string_view line) {
  size_t begin = line.find_first_not_of(' ');
  while (begin != std::string_view::npos && line.substr(begin).starts_with("- ")) {
    begin = line.find_first_not_of(' ', begin + 1);
  }
  if (begin == std::string_view::npos) return {0, 0};
  size_t end = begin;
  while (end < line.size() && IsKeyCharacter(line[end])) ++end;
  const bool colon =
      end < line.size() && line[end] == ':' && (end + 1 == line.size() || line[end + 1] == ' ');
  return colon ? std::pair{begin, end} : std::pair<size_t, size_t>{0, 0};
}

size_t CommentOf(std::string_view line) {
  const std::string_view trimmed = Trim(line);
  if (trimmed.starts_with('#')) return line.find('#');
  if (line.find_first_of("'\"") != std::string_view::npos) return line.size();
  return std::min(line.find(" #"), line.size());
}

}  // namespace

std::string Escape(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      case '\0':  // not allowed in HTML at all
        result += "\xEF\xBF\xBD";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string JsonString(std::string_view text) {
  constexpr unsigned char kFirstPrintable = 0x20;
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '<' || static_cast<unsigned char>(c) < kFirstPrintable) {
      result += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      result += c;
    }
  }
  return result + '"';
}

std::string NumberMarkup(std::string text) {
  if (text.starts_with('-')) text.replace(0, 1, "−");
  return Escape(text);
}

std::string YamlMarkup(std::string_view yaml) {
  std::string result;
  for (const std::string_view line : Split(yaml, '\n')) {
    const size_t comment = CommentOf(line);
    const std::string_view content = line.substr(0, comment);
    const auto [begin, end] = KeyOf(content);
    result += Escape(content.substr(0, begin));
    if (end > begin) {
      result +=
          fmt::format("<span class=\"k\">{}</span>", Escape(content.substr(begin, end - begin)));
    }
    result += Escape(content.substr(end));
    if (comment < line.size()) {
      result += fmt::format("<span class=\"c\">{}</span>", Escape(line.substr(comment)));
    }
    result += '\n';
  }
  while (result.ends_with('\n')) result.pop_back();
  return result;
}

std::string_view ToneClass(Tone tone) {
  switch (tone) {
    case Tone::kGood:
      return "good";
    case Tone::kBad:
      return "bad";
    case Tone::kCaution:
      return "caution";
    case Tone::kNeutral:
      break;
  }
  return "neutral";
}

std::string_view ToneSign(Tone tone) {
  switch (tone) {
    case Tone::kGood:
      return "▲";
    case Tone::kBad:
      return "▼";
    case Tone::kCaution:
      return "≈";
    case Tone::kNeutral:
      break;
  }
  return "•";
}

std::string ToneWords(Tone tone, std::string_view benchmark) {
  const bool compared = !benchmark.empty();
  switch (tone) {
    case Tone::kGood:
      return compared ? fmt::format("better than {}", benchmark) : "favourable";
    case Tone::kBad:
      return compared ? fmt::format("worse than {}", benchmark) : "unfavourable";
    case Tone::kCaution:
      return compared ? fmt::format("no clear difference from {}", benchmark) : "not conclusive";
    case Tone::kNeutral:
      break;
  }
  return "";
}

}  // namespace almanac
