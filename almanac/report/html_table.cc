#include "almanac/report/html_table.h"

#include <fmt/format.h>

#include "almanac/report/markup.h"

namespace almanac {

HtmlTable::HtmlTable(std::string_view label, std::string_view classes)
    : html_(fmt::format("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">"
                        "<table class=\"{}\"><thead><tr>",
                        Escape(label), classes)) {}

HtmlTable& HtmlTable::Head(std::string_view markup, bool is_number) {
  html_ += fmt::format("<th scope=\"col\"{}>{}</th>", is_number ? " class=\"num\"" : "", markup);
  ++columns_;
  return *this;
}

HtmlTable& HtmlTable::Row(std::string_view classes) {
  if (in_row_) html_ += "</tr>\n";
  if (!in_body_) html_ += "</tr></thead>\n<tbody>\n";
  in_body_ = in_row_ = true;
  html_ += classes.empty() ? "<tr>" : fmt::format("<tr class=\"{}\">", classes);
  return *this;
}

HtmlTable& HtmlTable::RowHead(std::string_view markup) {
  html_ += fmt::format("<th scope=\"row\">{}</th>", markup);
  return *this;
}

HtmlTable& HtmlTable::Text(std::string_view markup) {
  html_ += fmt::format("<td>{}</td>", markup);
  return *this;
}

HtmlTable& HtmlTable::Number(std::string_view markup) { return Cell("class=\"num\"", markup); }

HtmlTable& HtmlTable::Cell(std::string_view attributes, std::string_view markup) {
  html_ += fmt::format("<td {}>{}</td>", attributes, markup);
  return *this;
}

HtmlTable& HtmlTable::Note(std::string_view markup) {
  Row("more");
  html_ += fmt::format("<td colspan=\"{}\">{}</td>", columns_, markup);
  return *this;
}

std::string HtmlTable::Finish() {
  html_ += in_body_ ? "</tr>\n</tbody></table></div>\n" : "</tr></thead></table></div>\n";
  return std::move(html_);
}

std::string TableHeading(std::string_view title, std::string_view note) {
  std::string html;
  if (!title.empty()) html += fmt::format("<h3>{}</h3>\n", Escape(title));
  if (!note.empty()) html += fmt::format("<p class=\"note\">{}</p>\n", Escape(note));
  return html;
}

std::vector<std::string> ColumnTexts(NumberFormat format, std::span<const double> values) {
  const NumberStyle style = StyleFor(format, values);
  std::vector<std::string> texts;
  texts.reserve(values.size());
  for (const double value : values) texts.push_back(NumberMarkup(FormatNumber(value, style)));
  return texts;
}

}  // namespace almanac
