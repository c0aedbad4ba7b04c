// RenderText: the report for a terminal.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "almanac/base/text.h"
#include "almanac/report/markup.h"
#include "almanac/report/number_text.h"
#include "almanac/report/report.h"

namespace almanac {
namespace {

constexpr size_t kGap = 2;  // spaces between columns

// Code points, which is columns for the scripts that reports are written in.
size_t WidthOf(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string PadLeft(const std::string& text, size_t width) {
  return std::string(width - std::min(width, WidthOf(text)), ' ') + text;
}
std::string PadRight(const std::string& text, size_t width) {
  return text + std::string(width - std::min(width, WidthOf(text)), ' ');
}

// A terminal obeys control characters; a report must not be able to send any.
std::string Plain(std::string_view text) {
  std::string result(text);
  constexpr char kDelete = 0x7F;
  for (char& c : result) {
    if ((c >= 0 && c < ' ') || c == kDelete) c = ' ';
  }
  return result;
}

class Writer {
 public:
  explicit Writer(const TextOptions& options) : options_(options) {}

  std::string Colored(const std::string& text, Tone tone, bool bold = false) const {
    if (!options_.color) return text;
    std::string_view code;
    if (tone == Tone::kGood) code = "34";     // blue
    if (tone == Tone::kBad) code = "33";      // yellow, which shows as orange or brown
    if (tone == Tone::kCaution) code = "35";  // magenta
    if (code.empty() && !bold) return text;
    return fmt::format("\x1b[{}{}{}m{}\x1b[0m", bold ? "1" : "", bold && !code.empty() ? ";" : "",
                       code, text);
  }

  // `text` broken between words; `first` stands before the first line, spaces before the others.
  void Wrapped(const std::string& first, const std::string& text, Tone tone, bool bold = false) {
    const size_t indent = WidthOf(first);
    std::string line;
    bool is_first = true;
    const auto flush = [&] {
      out_ += (is_first ? first : std::string(indent, ' ')) + Colored(line, tone, bold) + "\n";
      is_first = false;
      line.clear();
    };
    const std::string plain = Plain(text);
    for (const std::string_view word : Split(plain, ' ')) {
      if (word.empty()) continue;
      if (!line.empty() && indent + WidthOf(line) + 1 + WidthOf(word) > options_.width) flush();
      if (!line.empty()) line += ' ';
      line += word;
    }
    flush();
  }

  void Line(const std::string& text = "") {
    out_ += text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
  }

  void Verdict(const ReportData& data);
  void KeyFigures(const std::vector<ReportKeyFigure>& figures);
  void Table(const ReportTable& table);

  std::string Take() { return std::move(out_); }

 private:
  void TableBlock(const std::vector<std::vector<std::string>>& columns,
                  const std::vector<size_t>& widths, const std::vector<std::string>& labels,
                  size_t first, size_t last);

  TextOptions options_;
  std::string out_;
};

void Writer::Verdict(const ReportData& data) {
  for (size_t i = 0; i < data.verdict.size(); ++i) {
    const ReportVerdict& verdict = data.verdict[i];
    Wrapped(fmt::format("{} ", ToneSign(verdict.tone)), verdict.text, verdict.tone, i == 0);
  }
  for (const std::string& warning : data.warnings) Wrapped("! ", warning, Tone::kBad);
}

void Writer::KeyFigures(const std::vector<ReportKeyFigure>& figures) {
  if (figures.empty()) return;
  std::array<size_t, 4> widths{};
  std::vector<std::array<std::string, 4>> cells;
  for (const ReportKeyFigure& figure : figures) {
    const NumberStyle style =
        DistinctStyleFor(figure.format, std::array{figure.value, figure.benchmark});
    const bool compared = !figure.benchmark_name.empty();
    cells.push_back({Plain(figure.label), FormatNumber(figure.value, style),
                     Plain(figure.benchmark_name),
                     compared ? FormatNumber(figure.benchmark, style) : std::string()});
    for (size_t c = 0; c < widths.size(); ++c) {
      widths[c] = std::max(widths[c], WidthOf(cells.back()[c]));
    }
  }
  Line();
  for (size_t i = 0; i < figures.size(); ++i) {
    const auto& [label, value, name, benchmark] = cells[i];
    std::string line = PadRight(label, widths[0] + kGap) + PadLeft(value, widths[1] + kGap);
    line += std::string(kGap, ' ') + PadRight(name, widths[2]) + PadLeft(benchmark, widths[3] + 1);
    const std::string words = Plain(ToneWords(figures[i].tone, figures[i].benchmark_name));
    if (!words.empty() && WidthOf(line) + kGap + WidthOf(words) + 2 <= options_.width) {
      line += std::string(kGap, ' ') +
              Colored(fmt::format("{} {}", ToneSign(figures[i].tone), words), figures[i].tone);
    }
    Line(line);
  }
}

std::string_view StandingSign(Standing standing) {
  switch (standing) {
    case Standing::kBetter:
      return "▲";
    case Standing::kWorse:
      return "▼";
    case Standing::kSame:
      return "≈";
    case Standing::kNotCompared:
      break;
  }
  return " ";
}

// The texts of one column, its title first, and the column's width.
std::vector<std::string> ColumnCells(const ReportTable& table, size_t c, size_t& width) {
  std::vector<double> values;
  bool marks = false;
  for (const ReportRow& row : table.rows) {
    values.push_back(row.cells[c].value);
    marks |= row.cells[c].standing != Standing::kNotCompared;
  }
  const NumberStyle style = DistinctStyleFor(table.columns[c].format, values);
  // Titles end where the numbers do.
  std::vector<std::string> cells = {Plain(table.columns[c].title) + (marks ? "  " : "")};
  for (const ReportRow& row : table.rows) {
    std::string text = FormatNumber(row.cells[c].value, style);
    if (marks) text += fmt::format(" {}", StandingSign(row.cells[c].standing));
    cells.push_back(std::move(text));
  }
  width = 0;
  for (const std::string& cell : cells) width = std::max(width, WidthOf(cell));
  return cells;
}

void Writer::TableBlock(const std::vector<std::vector<std::string>>& columns,
                        const std::vector<size_t>& widths, const std::vector<std::string>& labels,
                        size_t first, size_t last) {
  size_t label_width = 0;
  for (const std::string& label : labels) label_width = std::max(label_width, WidthOf(label));
  for (size_t row = 0; row < labels.size(); ++row) {
    std::string line = "  " + PadRight(labels[row], label_width);
    for (size_t c = first; c < last; ++c) {
      line += std::string(kGap, ' ') + PadLeft(columns[c][row], widths[c]);
    }
    Line(line);
  }
}

void Writer::Table(const ReportTable& table) {
  if (table.rows.empty() || table.columns.empty()) return;
  std::vector<std::string> labels = {""};
  size_t label_width = 0;
  for (const ReportRow& row : table.rows) {
    labels.push_back(Plain(row.label));
    label_width = std::max(label_width, WidthOf(labels.back()));
  }
  std::vector<std::vector<std::string>> columns;
  std::vector<size_t> widths(table.columns.size());
  for (size_t c = 0; c < table.columns.size(); ++c) {
    columns.push_back(ColumnCells(table, c, widths[c]));
  }
  Line();
  Line(Colored(Plain(table.title), Tone::kNeutral, true));
  // A table that is too wide goes on below, with its row names again.
  for (size_t first = 0; first < columns.size();) {
    size_t last = first, used = 2 + label_width;
    while (last < columns.size() &&
           (last == first || used + kGap + widths[last] <= options_.width)) {
      used += kGap + widths[last++];
    }
    TableBlock(columns, widths, labels, first, last);
    first = last;
  }
}

}  // namespace

std::string RenderText(const ReportData& data, const TextOptions& options) {
  CheckReport(data);
  Writer writer(options);
  if (!data.title.empty()) writer.Wrapped("", data.title, Tone::kNeutral, true);
  writer.Verdict(data);
  writer.KeyFigures(data.key_figures);
  for (const ReportTable& table : data.forecast_tables) writer.Table(table);
  for (const ReportTable& table : data.strategy_tables) writer.Table(table);
  return writer.Take();
}

}  // namespace almanac
