#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/cli/command.h"

namespace almanac {
namespace {

constexpr size_t kGap = 2;

// Display width: one column a code point, which holds for the letters and signs we print.
size_t Width(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

void Print(std::FILE* stream, std::string_view line) {
  fmt::print(stream, "{}\n", line);
  if (std::ferror(stream) != 0) {
    throw Error(ErrorCode::kFailed, "output", "writing failed (is the disk full?)");
  }
}

}  // namespace

Progress& Invocation::progress() {
  if (!progress_) progress_ = MakeConsoleProgress(quiet);
  return *progress_;
}

void Invocation::Say(std::string_view line) const {
  if (!json && !quiet) Print(stdout, line);
}

void Invocation::PrintJson(const Json& document) const {
  if (json) Print(stdout, document.dump(2, ' ', false, Json::error_handler_t::replace));
}

void Invocation::Warn(std::string_view line) const {
  if (!quiet) Print(stderr, line);
}

TextTable::TextTable(std::vector<std::string> headings) : headings_(std::move(headings)) {
  for (std::string& heading : headings_) {
    right_.push_back(!heading.empty() && heading.front() == '>');
    if (right_.back()) heading.erase(0, 1);
  }
}

void TextTable::AddRow(std::vector<std::string> cells) {
  cells.resize(headings_.size());
  rows_.push_back(std::move(cells));
}

std::string TextTable::Render() const {
  std::vector<size_t> widths;
  for (size_t c = 0; c < headings_.size(); ++c) {
    widths.push_back(Width(headings_[c]));
    for (const auto& row : rows_) widths[c] = std::max(widths[c], Width(row[c]));
  }
  std::string text;
  const auto add = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (size_t c = 0; c < cells.size(); ++c) {
      const std::string padding(widths[c] - Width(cells[c]), ' ');
      if (c > 0) line.append(kGap, ' ');
      line += right_[c] ? padding + cells[c] : cells[c] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  add(headings_);
  for (const auto& row : rows_) add(row);
  if (!text.empty()) text.pop_back();
  return text;
}

}  // namespace almanac
