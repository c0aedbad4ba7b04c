// The windows and targets that a network learns from or forecasts: rows of one dataset or of
// several symbols', scaled by what was fitted on the training rows.
#ifndef ALMANAC_NEURAL_WINDOW_SOURCE_H_
#define ALMANAC_NEURAL_WINDOW_SOURCE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/base/time.h"
#include "almanac/dataset/dataset.h"
#include "almanac/dataset/scaler.h"
#include "almanac/dataset/window.h"

namespace almanac::neural {

// Targets minus their training mean, over their training standard deviation (one pair for all
// horizons); classes are left as they are.
struct TargetScale {
  double mean = 0, scale = 1;
  double Transform(double value) const { return (value - mean) / scale; }
  double Inverse(double value) const { return value * scale + mean; }
  Json ToJson() const;
  static TargetScale FromJson(const Json& json);
  // Over the targets of `rows`, all steps of them. Error(kBadData) if there is none.
  static TargetScale Fit(const Dataset& data, std::span<const uint32_t> rows);
};

// What of the future is known: where in the day, the week and the year a bar is, as sines and
// cosines.
inline constexpr size_t kKnownInputs = 6;
extern const std::array<const char*, kKnownInputs> kKnownNames;

// When rows come: so far apart, on these days of the week.
struct RowCalendar {
  DurationMs spacing = 0;      // of neighbouring rows between which none is missing
  std::array<bool, 7> days{};  // from Monday
  // Of all rows of the datasets. Throws Error(kBadData) for one with rows of several symbols.
  static RowCalendar Of(std::span<const Dataset* const> parts);
  TimeMs Next(TimeMs time) const;  // when the row after the one at `time` is due
  Json ToJson() const;
  static RowCalendar FromJson(const Json& json);
};
// The known inputs of a bar that ends at `time`.
std::array<float, kKnownInputs> KnownAt(TimeMs time);
// Names of the known inputs that all rows have in common, such as where in the day daily bars end:
// a network learns nothing from them, whatever their share in its selection.
std::vector<std::string> ConstantKnown(std::span<const Dataset* const> parts);

// Some rows of one symbol.
struct WindowPart {
  const Dataset* data = nullptr;
  std::vector<uint32_t> rows;
  int64_t group = 0;  // the symbol's number
};

// Windows and targets of some rows, in one place each.
struct Batch {
  size_t rows = 0;
  std::vector<float> windows;   // (rows, T, F), scaled
  std::vector<float> known;     // (rows, T + horizons, kKnownInputs), or empty
  std::vector<int64_t> groups;  // (rows)
  std::vector<float> targets;   // (rows, horizons), scaled; classes as numbers; or empty
};

// The datasets are borrowed and must outlive this.
class WindowSource {
 public:
  struct Options {
    size_t steps = 1;
    bool across_gaps = false;
    bool with_target = true;
    bool with_known = false;
    size_t horizons = 1;  // of the targets
  };
  WindowSource(const std::vector<WindowPart>& parts, const Options& options,
               const RowCalendar& calendar, const StandardScaler& scaler,
               const TargetScale& target);

  size_t size() const { return starts_.back(); }  // windows, those of the first part first
  size_t steps() const { return options_.steps; }
  size_t features() const { return mean_.size(); }
  size_t horizons() const { return options_.horizons; }
  const SequenceWindows& part(size_t p) const { return parts_[p]; }
  double Target(size_t window, size_t horizon) const;  // not scaled
  // How many rows after a window's last its label's end is.
  size_t RowsAhead(size_t window) const;

  void Gather(std::span<const size_t> which, Batch* batch) const;

 private:
  struct Place {
    size_t part = 0, window = 0;
  };
  Place PlaceOf(size_t window) const;
  void GatherKnown(const Place& place, float* out) const;

  Options options_;
  std::vector<const Dataset*> data_;
  std::vector<SequenceWindows> parts_;
  std::vector<int64_t> groups_;
  std::vector<size_t> starts_;  // of each part's windows, and the end of the last's
  RowCalendar calendar_;
  std::vector<float> mean_, inverse_;  // by feature
  TargetScale target_;
};

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_WINDOW_SOURCE_H_
