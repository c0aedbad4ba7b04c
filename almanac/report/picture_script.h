// A gnuplot script under construction, for the pictures of a report.
#ifndef ALMANAC_REPORT_PICTURE_SCRIPT_H_
#define ALMANAC_REPORT_PICTURE_SCRIPT_H_

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/report/gnuplot.h"

namespace almanac {

// The colours of the page's light theme.
inline constexpr std::array<std::string_view, 6> kModelColors = {"#0b6bb5", "#c8640a", "#0a8a68",
                                                                 "#a64d8c", "#8a7a00", "#3d4fa1"};
inline constexpr std::string_view kNaiveColor = "#7d868e";
inline constexpr std::string_view kInk = "#1d2125";

// A number as gnuplot reads it; "NaN" is missing there.
std::string Number(double value);
// Seconds, exactly: gnuplot reads them as doubles.
std::string Seconds(TimeMs time);

class Script {
 public:
  template <typename... Arguments>
  void Add(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Arguments>(arguments)...);
    text_ += '\n';
  }

  // Begins a picture of the given height in pixels with the settings all pictures share.
  void Begin(const std::string& file, size_t width, size_t height);
  // A heading at the upper left of a panel.
  void Heading(std::string_view text) {
    Add("set label 1 {} at graph 0, graph 1 offset 0, 1.1 left font ',13' textcolor rgb '{}'",
        GnuplotString(text), kInk);
  }
  // The panel between these heights, as fractions of the picture from its bottom.
  void Panel(double bottom, double top) {
    Add("set tmargin at screen {:.3f}\nset bmargin at screen {:.3f}", top, bottom);
  }
  // A time axis over [from, to]; without tick labels where another panel below has them.
  void TimeAxis(TimeMs from, TimeMs to, bool labels);

  // A block of data; `row(i)` gives line i. Returns its name.
  template <typename RowOf>
  std::string Block(size_t rows, RowOf row) {
    std::string name = fmt::format("$block{}", blocks_++);
    Add("{} << EOD", name);
    for (size_t i = 0; i < rows; ++i) Add("{}", row(i));
    Add("EOD");
    return name;
  }

  void Plot(const std::vector<std::string>& parts) {
    if (parts.empty()) return;
    Add("plot {}", fmt::join(parts, ", \\\n     "));
  }

  const std::string& text() const { return text_; }

 private:
  std::string text_;
  size_t blocks_ = 0;
};

// A solid line through column 2 of a block.
std::string LinePart(const std::string& block, std::string_view color, double width,
                     std::string_view title, std::string_view more = "");

}  // namespace almanac

#endif  // ALMANAC_REPORT_PICTURE_SCRIPT_H_
