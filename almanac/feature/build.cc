#include "almanac/feature/build.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/hash.h"
#include "almanac/base/parallel.h"
#include "almanac/feature/feature_graph.h"
#include "almanac/feature/stream.h"

namespace almanac {
namespace {

constexpr std::string_view kMagic = "almanac features 2";
constexpr size_t kDigestSize = 64;

// What a snapshot must have in common with the frame that continues it, beside the features.
std::string FrameInWords(const FrameKey& key) {
  return ToString(key) + (key.rows == FrameRows::kIntersection ? ", common rows" : "") +
         (key.calendar != nullptr ? ", calendar " + key.calendar->name() : "");
}

}  // namespace

FeatureTable BuildFeatures(const FeatureSet& set, const Frame& frame) {
  const FeatureStream stream(set, frame);
  FeatureTable table;
  table.index = stream.index();
  table.names = stream.Names();
  table.columns.resize(stream.columns());
  ParallelFor(stream.groups(), [&](size_t g) {
    const ColumnGroup group = stream.group(g);
    std::vector<float*> out;
    for (size_t c = group.first; c < group.first + group.count; ++c) {
      table.columns[c].resize(stream.rows());
      out.push_back(table.columns[c].data());
    }
    stream.Compute(g, out);
  });
  return table;
}

FeatureTable BuildFeatures(const FeatureSet& set, const CandleSeries& series) {
  return BuildFeatures(set, Frame::Of(series));
}

struct LiveFrame::Impl {
  Impl(const FeatureSet& unbound, FrameKey frame_key)
      : key(std::move(frame_key)),
        set(unbound.BoundTo(key.symbols())),
        groups(GroupsOf(set)),
        one_row(key),
        row(set.size()) {
    CheckFrameKey(key);
    for (const ColumnGroup& group : groups) {
      graphs.emplace_back(std::span(set.specs()).subspan(group.first, group.count), key);
    }
    for (float& value : row) row_places.push_back(&value);
  }

  void RunGroups(const RowBlock& rows, std::span<float* const> out) {
    ParallelFor(groups.size(), [&](size_t g) {
      graphs[g].Run(rows, out.empty() ? out : out.subspan(groups[g].first, groups[g].count));
    });
  }

  FrameKey key;
  FeatureSet set;
  std::vector<ColumnGroup> groups;
  std::vector<FeatureGraph> graphs;
  TimeMs last_time = kMinTime;
  RowOfBars one_row;
  std::vector<float> row;
  std::vector<float*> row_places;
};

LiveFrame::LiveFrame(const FeatureSet& set, const FrameKey& key)
    : impl_(std::make_unique<Impl>(set, key)) {}
LiveFrame::~LiveFrame() = default;
LiveFrame::LiveFrame(LiveFrame&&) noexcept = default;
LiveFrame& LiveFrame::operator=(LiveFrame&&) noexcept = default;

const FeatureSet& LiveFrame::set() const { return impl_->set; }
size_t LiveFrame::columns() const { return impl_->row.size(); }
const FrameKey& LiveFrame::key() const { return impl_->key; }
TimeMs LiveFrame::last_time() const { return impl_->last_time; }

std::span<const float> LiveFrame::Step(std::span<const Candle* const> bars) {
  const FrameKey& key = impl_->key;
  if (bars.size() != key.series.size()) {
    throw Error(ErrorCode::kUsage, "LiveFrame::Step",
                fmt::format("{} bars for a frame of {} symbols", bars.size(), key.series.size()),
                "give a place for each symbol, null where it has no bar");
  }
  const Candle* first = nullptr;
  size_t missing = 0;
  const DurationMs duration = key.timeframe().duration();
  for (size_t s = 0; s < bars.size(); ++s) {
    if (bars[s] == nullptr) {
      ++missing;
      continue;
    }
    if (first == nullptr) first = bars[s];
    if (impl_->last_time != kMinTime) {
      CheckOrder(key.series[s], impl_->last_time - duration, bars[s]->open_time);
    }
    CheckBar(key.series[s], *bars[s]);
    if (bars[s]->open_time == first->open_time) continue;
    throw Error(ErrorCode::kBadData, ToString(key.series[s]) + " " + FormatTime(bars[s]->open_time),
                "another bar of the row opens at " + FormatTime(first->open_time),
                "the bars of a row open at one time");
  }
  if (first == nullptr) {
    throw Error(ErrorCode::kUsage, "LiveFrame::Step", "no symbol has a bar",
                "a row has a bar of one symbol at least");
  }
  const TimeMs time = first->open_time + duration;
  impl_->RunGroups(impl_->one_row.Set(time, bars), impl_->row_places);
  impl_->last_time = time;
  if (missing > 0 && key.rows == FrameRows::kIntersection) return {};
  return impl_->row;
}

size_t LiveFrame::Run(const Frame& frame, size_t first, size_t last, std::span<float* const> out) {
  if (first > last || last > frame.times().size() || (!out.empty() && out.size() != columns())) {
    throw Error(ErrorCode::kUsage, "LiveFrame::Run",
                fmt::format("times {} to {} of {} into {} columns of {}", first, last,
                            frame.times().size(), out.size(), columns()));
  }
  if (frame.key().series != impl_->key.series) {
    throw Error(ErrorCode::kUsage, ToString(frame.key()),
                "these features are of " + ToString(impl_->key), "use one for each frame");
  }
  if (first == last) return 0;
  if (impl_->last_time != kMinTime) {
    const DurationMs duration = impl_->key.timeframe().duration();
    CheckOrder(impl_->key.series.front(), impl_->last_time - duration,
               frame.times()[first] - duration);
  }
  const std::vector<char> keep = frame.RowsWithin(first, last - first);
  const auto kept = static_cast<size_t>(std::count(keep.begin(), keep.end(), 1));
  ParallelFor(impl_->groups.size(), [&](size_t g) {
    const ColumnGroup group = impl_->groups[g];
    RunBlocks(frame, first, last, impl_->graphs[g],
              out.empty() ? out : out.subspan(group.first, group.count));
  });
  impl_->last_time = frame.times()[last - 1];
  return kept;
}

std::string LiveFrame::Snapshot() const {
  StateWriter writer;
  writer.Text(kMagic);
  writer.Text(Sha256(impl_->set.ToJson().dump()));
  writer.Text(FrameInWords(impl_->key));
  writer(impl_->last_time);
  for (const FeatureGraph& graph : impl_->graphs) graph.SaveState(writer);
  return writer.bytes() + Sha256(writer.bytes());
}

LiveFrame LiveFrame::Restore(const FeatureSet& set, const FrameKey& key,
                             std::string_view snapshot) {
  LiveFrame live(set, key);
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
  if (reader.Text() != Sha256(live.set().ToJson().dump())) refuse("is of other features");
  if (const std::string found = reader.Text(); found != FrameInWords(key)) refuse("is of " + found);
  reader(live.impl_->last_time);
  for (FeatureGraph& graph : live.impl_->graphs) graph.LoadState(reader);
  reader.ExpectEnd();
  return live;
}

LiveFeatures::LiveFeatures(const FeatureSet& set, const SeriesKey& key)
    : frame_(set, {{key}, FrameRows::kUnion, nullptr}) {}

std::span<const float> LiveFeatures::Step(const Candle& bar) {
  const Candle* bars = &bar;
  return frame_.Step(std::span(&bars, 1));
}

void LiveFeatures::Run(const CandleSeries& series, size_t first, size_t last,
                       std::span<float* const> out) {
  if (first > last || last > series.size() || (!out.empty() && out.size() != columns())) {
    throw Error(ErrorCode::kUsage, "LiveFeatures::Run",
                fmt::format("rows {} to {} of {} into {} columns of {}", first, last, series.size(),
                            out.size(), columns()));
  }
  if (series.key != key()) {
    throw Error(ErrorCode::kUsage, ToString(series.key), "these features are of " + ToString(key()),
                "use one for each series");
  }
  const CandleSeries part = series.Slice(first, last);
  frame_.Run(Frame::Of(part), 0, part.size(), out);
}

TimeMs LiveFeatures::last_open_time() const {
  const TimeMs last = frame_.last_time();
  return last == kMinTime ? last : last - key().timeframe.duration();
}

LiveFeatures LiveFeatures::Restore(const FeatureSet& set, const SeriesKey& key,
                                   std::string_view snapshot) {
  return LiveFeatures(LiveFrame::Restore(set, {{key}, FrameRows::kUnion, nullptr}, snapshot));
}

}  // namespace almanac
