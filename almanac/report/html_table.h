// Builds one <table> that scrolls inside its own box.
#ifndef ALMANAC_REPORT_HTML_TABLE_H_
#define ALMANAC_REPORT_HTML_TABLE_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/report/number_text.h"

namespace almanac {

// Cells are given as markup: callers escape.
class HtmlTable {
 public:
  // `label` says to a screen reader what the scrolling box holds; `classes` are added to the table.
  explicit HtmlTable(std::string_view label, std::string_view classes = "");

  // A heading cell; numbers are aligned to the right.
  HtmlTable& Head(std::string_view markup, bool is_number = false);
  HtmlTable& Row(std::string_view classes = "");
  HtmlTable& RowHead(std::string_view markup);  // the cell that names its row
  HtmlTable& Text(std::string_view markup);
  HtmlTable& Number(std::string_view markup);
  // A cell with attributes of its own, such as `class="num best"`.
  HtmlTable& Cell(std::string_view attributes, std::string_view markup);
  // One cell over the whole row.
  HtmlTable& Note(std::string_view markup);

  std::string Finish();

 private:
  std::string html_;
  size_t columns_ = 0;
  bool in_body_ = false, in_row_ = false;
};

// <h3>, and below it a note; nothing for what is empty.
std::string TableHeading(std::string_view title, std::string_view note);

// The values of one column, formatted alike.
std::vector<std::string> ColumnTexts(NumberFormat format, std::span<const double> values);

}  // namespace almanac

#endif  // ALMANAC_REPORT_HTML_TABLE_H_
