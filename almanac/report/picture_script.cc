#include "almanac/report/picture_script.h"

#include <cmath>

#include "almanac/report/number_text.h"

namespace almanac {

std::string Number(double value) { return std::isfinite(value) ? JsonNumber(value) : "NaN"; }

std::string Seconds(TimeMs time) {
  return fmt::format("{:.3f}", static_cast<double>(time) / kMsPerSecond);
}

void Script::Begin(const std::string& file, size_t width, size_t height) {
  Add("reset\nset encoding utf8\nset datafile missing 'NaN'");
  Add("if (strstrt(GPVAL_TERMINALS, 'pngcairo') > 0) {{ set terminal pngcairo noenhanced size "
      "{0},{1} font 'DejaVu Sans,11' background rgb '#ffffff' }} else {{ set terminal png "
      "truecolor "
      "noenhanced size {0},{1} font 'DejaVuSans,11' background rgb '#ffffff' }}",
      width, height);
  Add("set output {}", GnuplotString(file));
  Add("set border 3 linecolor rgb '#8b949c'\nset tics nomirror out scale 0.6 textcolor rgb "
      "'#5d666f'");
  Add("set grid linetype 1 linecolor rgb '#e6e9eb' linewidth 1\nset format y '%.10g'");
  Add("set ylabel textcolor rgb '#5d666f'\nset xlabel textcolor rgb '#5d666f'");
  Add("set lmargin at screen 0.075\nset rmargin at screen 0.972");
  Add("set key at graph 1, graph 1.01 right bottom horizontal Left reverse samplen 2 textcolor rgb "
      "'{}' noenhanced",
      kInk);
}

void Script::TimeAxis(TimeMs from, TimeMs to, bool labels) {
  constexpr DurationMs kYears = DurationMs{3} * 365 * kMsPerDay, kDays = 8 * kMsPerDay;
  const DurationMs span = to - from;
  // The label of a tick has two lines: the finer and the coarser half of its time.
  const std::string_view format = span > kYears  ? R"("%b\n%Y")"
                                  : span > kDays ? R"("%d %b\n%Y")"
                                                 : R"("%H:%M\n%d %b")";
  Add("set xdata time\nset timefmt '%s'\nset xrange ['{}':'{}']", Seconds(from), Seconds(to));
  Add("set format x {}", labels ? format : "''");
  Add("set xlabel {}", labels ? "'time, UTC'" : "''");
}

std::string LinePart(const std::string& block, std::string_view color, double width,
                     std::string_view title, std::string_view more) {
  return fmt::format("{} using 1:2 with lines linewidth {} linecolor rgb '{}' {} {}", block, width,
                     color, more,
                     title.empty() ? std::string("notitle") : "title " + GnuplotString(title));
}

}  // namespace almanac
