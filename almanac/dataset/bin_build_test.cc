#include "almanac/dataset/bin_build.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/parallel.h"
#include "almanac/base/random.h"
#include "almanac/base/test_folder.h"
#include "almanac/dataset/bin_file.h"

namespace almanac {
namespace {

using testing::HasSubstr;

constexpr size_t kRows = 700, kColumns = 300, kGroup = 7;

// Columns around common factors with warm-ups and holes; some constant, sparse or empty.
FeatureTable RandomTable() {
  FeatureTable table;
  for (size_t i = 0; i < kRows; ++i) table.index.push_back(static_cast<TimeMs>(60'000 * i));
  for (size_t c = 0; c < kColumns; ++c) {
    Random factor(1, c % 60), own(2, c);
    table.names.push_back({"x" + std::to_string(c), "ratio"});
    std::vector<float>& column = table.columns.emplace_back();
    const size_t warm_up = c % 11 == 0 ? 3 * c : 5;
    for (size_t i = 0; i < kRows; ++i) {
      double value = factor.Normal() + 0.6 * own.Normal();
      if (c % 31 == 3) value = own.Below(30) == 0 ? value : 0.0;
      if (c % 37 == 4) value = 5;
      if (c % 13 == 2 && own.Below(3) == 0) value = std::nan("");
      column.push_back(static_cast<float>(i < warm_up ? std::nan("") : value));
    }
  }
  return table;
}

// Events: two rows of three; the split leaves out a few between the parts.
struct Job {
  FeatureTable table = RandomTable();
  Labels labels;
  std::vector<uint32_t> rows;
  BinBuildSpec spec;

  Job() {
    labels.name = "future";
    for (uint32_t row = 0; row < kRows; ++row) {
      if (row % 3 == 1) continue;
      rows.push_back(row);
      labels.t0.push_back(table.index[row]);
      labels.t1.push_back(table.index[row] + 240'000);
      labels.value.push_back(row % 5 == 0 ? std::nan("") : 1);
    }
    spec.target = labels.name;
    spec.lineage = {{"x40", {"smooth"}}, {"smooth", {"future"}}, {"x41", {"close"}}};
    spec.prune.correlation_rows = 200;
    spec.prune.max_correlation = 0.7;
    spec.sampled_rows = 150;
    spec.key = "a key";
  }

  // The table of the kept rows alone.
  Dataset Events() const {
    FeatureTable events;
    events.names = table.names;
    for (const uint32_t row : rows) events.index.push_back(table.index[row]);
    for (const auto& column : table.columns) {
      std::vector<float>& values = events.columns.emplace_back();
      for (const uint32_t row : rows) values.push_back(column[row]);
    }
    return Dataset::Join("X", std::move(events), labels);
  }

  BinRows Rows() const {
    const Dataset events = Events();
    BinRows kept{rows, events.SplitRows({}).training(), {}};
    for (uint32_t place = 0; place < rows.size(); ++place) {
      if (std::isfinite(labels.value[place])) kept.with_target.push_back(place);
    }
    return kept;
  }

  // In blocks of uneven sizes. Fails at group `fails_at`.
  ColumnStream Stream(size_t fails_at = std::numeric_limits<size_t>::max()) const {
    ColumnStream stream{table.index, table.names, {}, {}};
    for (size_t first = 0; first < kColumns; first += kGroup) {
      stream.groups.push_back({first, std::min(kGroup, kColumns - first)});
    }
    stream.compute = [this, fails_at](size_t group, const FeatureStream::Sink& sink) {
      if (group >= fails_at) throw Error(ErrorCode::kFailed, "group", "fails");
      for (size_t row = 0, size = 1; row < kRows; row += size, size = 1 + (size * 7 + 3) % 97) {
        size = std::min(size, kRows - row);
        std::vector<const float*> columns;
        for (size_t c = group * kGroup; c < std::min(kColumns, (group + 1) * kGroup); ++c) {
          columns.push_back(table.columns[c].data() + row);
        }
        sink({row, size, columns});
      }
    };
    return stream;
  }

  BinBuildReport Build(const std::filesystem::path& folder) const {
    return BuildBins(Stream(), Rows(), spec, folder, NoProgress());
  }
};

TEST(BuildBins, KeepsAndBinsWhatTheWholeTableWould) {
  const TestFolder folder;
  const Job job;
  const BinBuildReport report = job.Build(folder.path() / "out");
  const Dataset events = job.Events();
  const TrainingRows training = events.SplitRows({}).training();
  const PruneReport whole = PruneColumns(events, training, job.spec.prune, job.spec.lineage);
  EXPECT_EQ(report.prune.kept, whole.kept);
  EXPECT_EQ(report.prune.ToJson(events.feature_names()).dump(),
            whole.ToJson(events.feature_names()).dump());
  for (const char* reason : {"missing", "one_value", "correlation", "lineage"}) {
    EXPECT_GT(whole.Count(reason), 0U) << reason;
  }

  const BinFile file(folder.path() / "out" / "columns.bins");
  file.Verify();
  ASSERT_EQ(file.columns(), whole.kept.size());
  ASSERT_EQ(file.rows(), job.rows.size());
  EXPECT_TRUE(std::equal(file.times().begin(), file.times().end(), events.times().begin()));
  EXPECT_EQ(BinningFacts::Of(file).rows, training.size());
  for (size_t i = 0; i < whole.kept.size(); ++i) {
    const std::span<const float> values = events.feature(whole.kept[i]);
    EXPECT_EQ(file.column(i).name, events.feature_names()[whole.kept[i]]);
    for (size_t row = 0; row < file.rows(); ++row) {
      ASSERT_EQ(file.bin(i, row), file.column(i).mapper.BinOf(values[row]));
    }
  }
}

// All rows, all of them sampled: the mapper is that of the training rows.
TEST(BuildBins, BinsAreFoundOnTrainingRows) {
  const TestFolder folder;
  Job job;
  job.spec.sampled_rows = 100000;
  job.Build(folder.path() / "out");
  const BinFile file(folder.path() / "out" / "columns.bins");
  const Dataset events = job.Events();
  const TrainingRows training = events.SplitRows({}).training();
  const auto first =
      std::find(events.feature_names().begin(), events.feature_names().end(), file.column(0).name);
  const auto c = static_cast<size_t>(first - events.feature_names().begin());
  std::vector<float> values;
  for (const uint32_t row : training.rows()) values.push_back(events.feature(c)[row]);
  const BinColumn expected{file.column(0).name, "ratio",
                           BinMapper::Find(std::span<const float>(values), {})};
  EXPECT_EQ(EncodeBinColumn(file.column(0)), EncodeBinColumn(expected));
}

std::string Bytes(const std::filesystem::path& folder) {
  return ReadFile(folder / "columns.bins") + ReadFile(folder / "report.json");
}

TEST(BuildBins, BatchesAndThreadsDoNotMatter) {
  const TestFolder folder;
  Job job;
  job.Build(folder.path() / "a");
  job.spec.largest_batch = 20;
  const int threads = ThreadCount();
  SetThreadCount(1);
  job.Build(folder.path() / "b");
  SetThreadCount(threads);
  EXPECT_EQ(Bytes(folder.path() / "a"), Bytes(folder.path() / "b"));
  job.spec.memory = size_t{1} << 20;
  EXPECT_THAT([&] { job.Build(folder.path() / "c"); },
              testing::ThrowsMessage<Error>(HasSubstr("1 MiB are allowed and at least")));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "c"));
}

TEST(BuildBins, GoesOnWhereItWasInterrupted) {
  const TestFolder folder;
  Job job;
  job.Build(folder.path() / "whole");
  const std::filesystem::path out = folder.path() / "out", work = folder.path() / "out.work";
  job.spec.largest_batch = 2 * kGroup;
  const auto build = [&](size_t fails_at) {
    return BuildBins(job.Stream(fails_at), job.Rows(), job.spec, out, NoProgress());
  };
  EXPECT_THROW(build(20), Error);
  EXPECT_FALSE(std::filesystem::exists(out));
  // What a killed process wrote after its last state.
  for (const char* name : {"compared.f32", "bins.u8", "records.bin"}) {
    std::ofstream(work / name, std::ios::app) << "torn";
  }
  const BinBuildReport report = build(kColumns);
  EXPECT_FALSE(report.was_there);
  EXPECT_EQ(report.resumed_columns, 20 * kGroup);
  EXPECT_EQ(Bytes(out), Bytes(folder.path() / "whole"));
  EXPECT_FALSE(std::filesystem::exists(work));
  EXPECT_TRUE(build(0).was_there);  // computes nothing
  EXPECT_EQ(build(0).prune.kept, report.prune.kept);
  job.spec.key = "another";
  EXPECT_THROW(build(0), Error);
  EXPECT_EQ(Bytes(out), Bytes(folder.path() / "whole"));  // as it was
}

TEST(BuildBins, WrongUse) {
  const TestFolder folder;
  const Job job;
  const auto refuse = [&](const std::function<void(Job&, BinRows&)>& change) -> std::string {
    Job changed = job;
    BinRows rows = job.Rows();
    change(changed, rows);
    try {
      BuildBins(job.Stream(), rows, changed.spec, folder.path() / "out", NoProgress());
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing";
  };
  EXPECT_THAT(refuse([](Job& j, BinRows&) { j.spec.bins.max_bin = 257; }), HasSubstr("max_bin"));
  EXPECT_THAT(refuse([](Job& j, BinRows&) { j.spec.sampled_rows = 0; }), HasSubstr("sampled_rows"));
  EXPECT_THAT(refuse([](Job& j, BinRows&) { j.spec.prune.correlation_rows = 2; }),
              HasSubstr("correlation_rows is 2"));
  EXPECT_THAT(refuse([](Job&, BinRows& r) { r.rows.push_back(kRows); }),
              HasSubstr("not ascending"));
  EXPECT_THAT(refuse([](Job&, BinRows& r) { r.rows.resize(10); }), HasSubstr("not among the kept"));
  EXPECT_THAT(refuse([](Job& j, BinRows&) { j.spec.prune.max_one_value = 0; }),
              HasSubstr("leaves none of 300 columns"));
}

}  // namespace
}  // namespace almanac
