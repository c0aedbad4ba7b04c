#include "almanac/feature/build.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/hash.h"
#include "almanac/base/parallel.h"
#include "almanac/feature/family.h"
#include "almanac/feature/graph.h"

namespace almanac {
namespace {

constexpr std::string_view kMagic = "almanac features 1";
constexpr size_t kDigestSize = 64;
// More columns on one graph share more nodes; more groups keep more threads busy.
constexpr size_t kLargestGroup = 32;

KernelGraph MakeGraph(std::span<const FeatureSpec> specs) {
  KernelGraph graph;
  for (const FeatureSpec& spec : specs) {
    graph.AddColumn(AddFeature(graph, spec));
  }
  return graph;
}

[[noreturn]] void ThrowBadBar(const SeriesKey& key, TimeMs time, std::string what,
                              std::string remedy) {
  throw Error(ErrorCode::kBadData, ToString(key) + " " + FormatTime(time), std::move(what),
              std::move(remedy));
}

void CheckBar(const SeriesKey& key, const Candle& bar) {
  const std::array<std::pair<const char*, double>, 4> prices = {
      {{"open", bar.open}, {"high", bar.high}, {"low", bar.low}, {"close", bar.close}}};
  for (const auto& [name, price] : prices) {
    if (std::isfinite(price) && price > 0) continue;
    ThrowBadBar(key, bar.open_time, fmt::format("{} is {}", name, price),
                "features need positive, finite prices; `almanac data audit` lists such bars");
  }
  if (std::isfinite(bar.volume) && bar.volume >= 0) return;
  ThrowBadBar(key, bar.open_time, fmt::format("volume is {}", bar.volume),
              "features need finite volumes that are not negative");
}

void CheckOrder(const SeriesKey& key, TimeMs before, TimeMs time) {
  if (time > before) return;
  ThrowBadBar(key, time, "the bar does not open after the one before, " + FormatTime(before),
              "give bars in order of time, each once");
}

// The bars [first, last), which come after `before`.
void CheckBars(const SeriesKey& key, const CandleSeries& series, size_t first, size_t last,
               TimeMs before) {
  for (size_t i = first; i < last; ++i) {
    CheckOrder(key, before, series.open_time[i]);
    CheckBar(key, series.At(i));
    before = series.open_time[i];
  }
}

// The bars [first, last) as the fields of a graph; the series must outlive it.
class FieldArrays {
 public:
  FieldArrays(const CandleSeries& series, size_t first, size_t last) {
    for (size_t i = first; i < last; ++i) {
      open_times_.push_back(static_cast<double>(series.open_time[i]));
      known_at_.push_back(static_cast<double>(series.KnownAt(i)));
    }
    if (series.vwap.empty()) no_vwap_.assign(last - first, Candle::kNotGiven);
    fields_ = {series.open.data() + first,
               series.high.data() + first,
               series.low.data() + first,
               series.close.data() + first,
               series.volume.data() + first,
               open_times_.data(),
               known_at_.data(),
               series.vwap.empty() ? no_vwap_.data() : series.vwap.data() + first};
  }
  FieldArrays(const FieldArrays&) = delete;
  FieldArrays& operator=(const FieldArrays&) = delete;

  const std::array<const double*, kBarFields>& fields() const { return fields_; }

 private:
  std::vector<double> open_times_, known_at_, no_vwap_;
  std::array<const double*, kBarFields> fields_;
};

}  // namespace

FeatureTable BuildFeatures(const FeatureSet& set, const CandleSeries& series) {
  CheckBars(series.key, series, 0, series.size(), kMinTime);
  FeatureTable table;
  for (size_t i = 0; i < series.size(); ++i) table.index.push_back(series.KnownAt(i));
  for (const FeatureInfo& info : set.Columns()) table.names.push_back({info.name, info.unit});
  table.columns.resize(set.size());

  const size_t threads = static_cast<size_t>(ThreadCount());
  const size_t group = std::clamp<size_t>((set.size() + threads - 1) / threads, 1, kLargestGroup);
  const FieldArrays bars(series, 0, series.size());
  ParallelFor((set.size() + group - 1) / group, [&](size_t g) {
    const size_t first = g * group;
    const size_t count = std::min(group, set.size() - first);
    KernelGraph graph = MakeGraph(std::span(set.specs()).subspan(first, count));
    std::vector<float*> out;
    for (size_t c = first; c < first + count; ++c) {
      table.columns[c].resize(series.size());
      out.push_back(table.columns[c].data());
    }
    graph.Run(series.size(), bars.fields(), out);
  });
  return table;
}

struct LiveFeatures::Impl {
  Impl(const FeatureSet& set, SeriesKey series_key)
      : configuration(set.ToJson().dump()),
        key(std::move(series_key)),
        graph(MakeGraph(set.specs())),
        row(set.size()) {
    for (float& value : row) row_places.push_back(&value);
  }

  std::string configuration;
  SeriesKey key;
  KernelGraph graph;
  TimeMs last_open_time = kMinTime;
  std::vector<float> row;
  std::vector<float*> row_places;
};

LiveFeatures::LiveFeatures(const FeatureSet& set, const SeriesKey& key)
    : impl_(std::make_unique<Impl>(set, key)) {}
LiveFeatures::~LiveFeatures() = default;
LiveFeatures::LiveFeatures(LiveFeatures&&) noexcept = default;
LiveFeatures& LiveFeatures::operator=(LiveFeatures&&) noexcept = default;

size_t LiveFeatures::columns() const { return impl_->row.size(); }
const SeriesKey& LiveFeatures::key() const { return impl_->key; }
TimeMs LiveFeatures::last_open_time() const { return impl_->last_open_time; }

std::span<const float> LiveFeatures::Step(const Candle& bar) {
  CheckOrder(impl_->key, impl_->last_open_time, bar.open_time);
  CheckBar(impl_->key, bar);
  const auto open_time = static_cast<double>(bar.open_time);
  const double known_at = open_time + static_cast<double>(impl_->key.timeframe.duration());
  impl_->graph.Run(
      1,
      {&bar.open, &bar.high, &bar.low, &bar.close, &bar.volume, &open_time, &known_at, &bar.vwap},
      impl_->row_places);
  impl_->last_open_time = bar.open_time;
  return impl_->row;
}

void LiveFeatures::Run(const CandleSeries& series, size_t first, size_t last,
                       std::span<float* const> out) {
  if (first > last || last > series.size() || (!out.empty() && out.size() != columns())) {
    throw Error(ErrorCode::kUsage, "LiveFeatures::Run",
                fmt::format("rows {} to {} of {} into {} columns of {}", first, last, series.size(),
                            out.size(), columns()));
  }
  if (series.key != impl_->key) {
    throw Error(ErrorCode::kUsage, ToString(series.key),
                "these features are of " + ToString(impl_->key), "use one for each series");
  }
  if (first == last) return;
  CheckBars(impl_->key, series, first, last, impl_->last_open_time);
  impl_->graph.Run(last - first, FieldArrays(series, first, last).fields(), out);
  impl_->last_open_time = series.open_time[last - 1];
}

std::string LiveFeatures::Snapshot() const {
  StateWriter writer;
  writer.Text(kMagic);
  writer.Text(impl_->configuration);
  writer.Text(ToString(impl_->key));
  writer(impl_->last_open_time);
  impl_->graph.SaveState(writer);
  return writer.bytes() + Sha256(writer.bytes());
}

LiveFeatures LiveFeatures::Restore(const FeatureSet& set, const SeriesKey& key,
                                   std::string_view snapshot) {
  LiveFeatures live(set, key);
  const auto refuse = [&](std::string what) {
    throw Error(ErrorCode::kBadData, "snapshot of the features of " + ToString(key),
                std::move(what), "make a new one from history");
  };
  if (snapshot.size() < kDigestSize || Sha256(snapshot.substr(0, snapshot.size() - kDigestSize)) !=
                                           snapshot.substr(snapshot.size() - kDigestSize)) {
    refuse("is damaged: its SHA-256 is not the one it ends with");
  }
  StateReader reader(snapshot.substr(0, snapshot.size() - kDigestSize));
  if (reader.Text() != kMagic) refuse("is not a snapshot of this version");
  if (reader.Text() != live.impl_->configuration) refuse("is of other features");
  if (const std::string found = reader.Text(); found != ToString(key)) refuse("is of " + found);
  reader(live.impl_->last_open_time);
  live.impl_->graph.LoadState(reader);
  reader.ExpectEnd();
  return live;
}

}  // namespace almanac
