// What is left of a change that was cut off, at every place where it can be.
#include "almanac/lake/partition.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/hash.h"
#include "almanac/base/places_for_test.h"
#include "almanac/lake/candle_store.h"
#include "almanac/lake/database.h"
#include "almanac/lake/lake_for_test.h"

namespace almanac {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kFolder = "candles/market=test-spot/time_frame=1d/symbol=X";

// Three years of daily bars whose every value says which version they are of.
CandleSeries Version(int version) {
  CandleSeries bars = WalkSeries(TestKey("X", "1d"), ParseTime("2021-06-01").value(), 800, 1);
  for (auto* field : {&bars.open, &bars.high, &bars.low, &bars.close}) {
    field->assign(bars.size(), version);
  }
  return bars;
}

// The version that was read; -1 for bars of several versions.
int VersionOf(const CandleSeries& bars) {
  if (bars.size() != 800) return -1;
  for (const double value : bars.close) {
    if (value != bars.close[0]) return -1;
  }
  return static_cast<int>(bars.close[0]);
}

// Ends what it is used for at the given change of the store: before the change if `before`, else
// after it; by an exception, or by the process's death.
class FaultyStore : public ObjectStore {
 public:
  FaultyStore(std::shared_ptr<ObjectStore> store, int fault_at, bool before, bool die)
      : store_(std::move(store)), left_(fault_at), before_(before), die_(die) {}

  std::string Get(const std::string& key) const override { return store_->Get(key); }
  std::unique_ptr<PinnedObject> Pin(const std::string& key) const override {
    return store_->Pin(key);
  }
  std::optional<int64_t> Size(const std::string& key) const override { return store_->Size(key); }
  std::vector<ObjectInfo> List(const std::string& prefix) const override {
    return store_->List(prefix);
  }
  std::optional<fs::path> LocalPath(const std::string& key) const override {
    return store_->LocalPath(key);
  }
  void Put(const std::string& key, std::string_view content) override {
    Change([&] { store_->Put(key, content); });
  }
  void PutFile(const std::string& key, const fs::path& file) override {
    Change([&] { store_->PutFile(key, file); });
  }
  void Move(const std::string& from, const std::string& to) override {
    Change([&] { store_->Move(from, to); });
  }
  void Delete(const std::string& key) override {
    Change([&] { store_->Delete(key); });
  }

 private:
  template <typename Body>
  void Change(const Body& body) {
    const bool now = left_-- == 0;
    if (now && before_) Fail();
    body();
    if (now) Fail();
  }
  void Fail() const {
    if (die_) kill(getpid(), SIGKILL);
    throw Error(ErrorCode::kFailed, "store", "injected fault");
  }

  std::shared_ptr<ObjectStore> store_;
  int left_;
  bool before_, die_;
};

// A change of three years: three files staged, the journal, three moves, the journal's end.
constexpr int kChanges = 8;
constexpr int kJournalChange = 3;

void ExpectWhole(const Home& home, int expected, const std::string& about) {
  CandleStore store(home);
  EXPECT_EQ(VersionOf(store.Read(TestKey("X", "1d"))), expected) << about;
  EXPECT_FALSE(fs::exists(home.lake() / kFolder / "_journal.json")) << about;
  // The next change works, and nothing of the one that was cut off remains.
  store.Upsert(Version(3));
  EXPECT_EQ(VersionOf(store.Read(TestKey("X", "1d"))), 3) << about;
  static const std::map<std::string, std::string> kExpected = [] {
    const TemporaryHome fresh;
    CandleStore(fresh.home()).Upsert(Version(3));
    return FilesBelow(fresh.home().lake());
  }();
  EXPECT_TRUE(FilesBelow(home.lake()) == kExpected) << about;
  EXPECT_TRUE(FilesBelow(home.temporary()).empty()) << about;
}

TEST(PartitionFaultTest, AnErrorAnywhereLeavesOldOrNew) {
  for (int at = 0; at < kChanges; ++at) {
    const TemporaryHome home;
    CandleStore(home.home()).Upsert(Version(1));
    {
      // After a change is before the next one, so only one of the two is tried.
      CandleStore faulty(home.home(),
                         std::make_shared<FaultyStore>(MakeLocalObjectStore(home.home().lake()), at,
                                                       /*before=*/at % 2 == 0, /*die=*/false));
      EXPECT_THROW(faulty.Upsert(Version(2)), Error);
    }
    EXPECT_THAT(FilesBelow(home.home().temporary()), IsEmpty());
    ExpectWhole(home.home(), at >= kJournalChange ? 2 : 1, "change " + std::to_string(at));
  }
}

TEST(PartitionFaultTest, AWriterThatComesFirstFinishesTheJournalToo) {
  const TemporaryHome home;
  CandleStore(home.home()).Upsert(Version(1));
  CandleStore faulty(home.home(),
                     std::make_shared<FaultyStore>(MakeLocalObjectStore(home.home().lake()),
                                                   kJournalChange, false, false));
  EXPECT_THROW(faulty.Upsert(Version(2)), Error);
  EXPECT_TRUE(fs::exists(home.home().lake() / kFolder / "_journal.json"));
  const UpsertStats stats = CandleStore(home.home()).Upsert(Version(2));
  EXPECT_EQ(stats.unchanged, 800);
  ExpectWhole(home.home(), 2, "");
}

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() {
    CandleStore(home_.home()).Upsert(Version(1));
    CandleStore faulty(home_.home(),
                       std::make_shared<FaultyStore>(MakeLocalObjectStore(home_.home().lake()),
                                                     kJournalChange, false, false));
    EXPECT_THROW(faulty.Upsert(Version(2)), Error);
  }
  std::string ReadError() const {
    try {
      CandleStore(home_.home()).Read(TestKey("X", "1d"));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadData);
      return error.what();
    }
    return "no error";
  }

  TemporaryHome home_;
  fs::path folder_ = home_.home().lake() / kFolder;
  fs::path journal_ = folder_ / "_journal.json";
};

TEST_F(JournalTest, IsWrittenAsDocumented) {
  std::string text = ReadFile(journal_);
  for (const int year : {2021, 2022, 2023}) {
    const std::string hash =
        Sha256(ReadFile(folder_ / ("_" + std::to_string(year) + ".parquet.staged")));
    ASSERT_NE(text.find(hash), std::string::npos);
    text.replace(text.find(hash), hash.size(), "N");
  }
  EXPECT_EQ(text,
            R"({"format":"almanac lake journal","version":1,"replace":[)"
            R"({"from":"_2021.parquet.staged","to":"2021.parquet","sha256":"N"},)"
            R"({"from":"_2022.parquet.staged","to":"2022.parquet","sha256":"N"},)"
            R"({"from":"_2023.parquet.staged","to":"2023.parquet","sha256":"N"}],"remove":[]})"
            "\n");
}

TEST(JournalExampleTest, IsThatOfTheDocumentation) {
  if (DuckDbVersion() != "v1.4.4") GTEST_SKIP() << "the example is of DuckDB 1.4.4's files";
  const TemporaryHome home;
  CandleSeries bars;
  bars.key = {"binance-spot", "BTCUSDT", Timeframe::Parse("1h")};
  for (int i = 0; i < 4; ++i) {
    Candle bar;
    bar.open_time = ParseTime("2023-12-31T22:00Z").value() + i * kMsPerHour;
    bar.open = bar.high = bar.low = bar.close = 42000 + i;
    bar.volume = 1;
    bars.Append(bar);
  }
  constexpr int kJournalOfTwo = 2;  // after two staged files
  CandleStore faulty(home.home(),
                     std::make_shared<FaultyStore>(MakeLocalObjectStore(home.home().lake()),
                                                   kJournalOfTwo, false, false));
  EXPECT_THROW(faulty.Upsert(bars), Error);
  const std::string journal =
      ReadFile(home.home().lake() /
               "candles/market=binance-spot/time_frame=1h/symbol=BTCUSDT/_journal.json");
  EXPECT_EQ(journal.size(), 326u);
  EXPECT_THAT(ReadFile(SourceFolder() / "docs/lake.md"), HasSubstr("\n" + journal));
}

TEST_F(JournalTest, WhatCannotBeFollowedIsAnErrorAndChangesNothing) {
  const std::string text = ReadFile(journal_);
  const auto change = [&](std::string_view from, std::string_view to) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    WriteFileAtomic(journal_, changed);
    return ReadError();
  };
  EXPECT_THAT(change("\"version\":1", "\"version\":2"), HasSubstr("of another format or version"));
  EXPECT_THAT(change("2021.parquet\"", "../2021.parquet\""), HasSubstr("is not a year's file"));
  EXPECT_THAT(change("_2021.parquet.staged", "2022.parquet"), HasSubstr("is not a staged file"));
  EXPECT_THAT(change("]", ""), HasSubstr("_journal.json: cannot be followed"));
  WriteFileAtomic(journal_, "");
  EXPECT_THAT(ReadError(), HasSubstr("cannot be followed"));
  WriteFileAtomic(journal_, text);
  ExpectWhole(home_.home(), 2, "");
}

TEST_F(JournalTest, AStagedFileThatIsLostIsAnError) {
  fs::remove(folder_ / "_2022.parquet.staged");
  EXPECT_THAT(ReadError(),
              HasSubstr("_2022.parquet.staged is gone, and 2022.parquet is not what it was"));
}

TEST(PartitionTest, RemovingASeriesOfSeveralYearsIsOneStep) {
  for (int at = 0; at < 5; ++at) {  // the journal, three deletions, the journal's end
    const TemporaryHome home;
    CandleStore(home.home()).Upsert(Version(1));
    CandleStore faulty(home.home(), std::make_shared<FaultyStore>(
                                        MakeLocalObjectStore(home.home().lake()), at, true, false));
    EXPECT_THROW(faulty.Remove(TestKey("X", "1d")), Error);
    CandleStore store(home.home());
    if (at == 0) {
      EXPECT_EQ(VersionOf(store.Read(TestKey("X", "1d"))), 1);
    } else {
      EXPECT_FALSE(store.Find(TestKey("X", "1d"))) << at;
      EXPECT_THAT(FilesBelow(home.home().lake()), IsEmpty());
    }
  }
}

// Other processes run the tests below whose names begin with DISABLED_, told by the environment
// what to do.
constexpr const char* kHomeVariable = "ALMANAC_LAKE_TEST_HOME";
constexpr const char* kNumberVariable = "ALMANAC_LAKE_TEST_NUMBER";

class Child {
 public:
  Child(const std::string& test, const Home& home, int number) {
    setenv(kHomeVariable, home.root.c_str(), 1);
    setenv(kNumberVariable, std::to_string(number).c_str(), 1);
    std::string filter = "--gtest_filter=LakeChild.DISABLED_" + test;
    std::string disabled = "--gtest_also_run_disabled_tests", brief = "--gtest_brief=1";
    std::string program = "/proc/self/exe";
    char* arguments[] = {program.data(), filter.data(), disabled.data(), brief.data(), nullptr};
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    EXPECT_EQ(posix_spawn(&pid_, program.c_str(), &quiet, nullptr, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&quiet);
  }
  ~Child() {
    if (pid_ > 0) Kill();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void Kill() {
    kill(pid_, SIGKILL);
    Wait();
  }
  int Wait() {
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
};

Home ChildHome() { return {std::getenv(kHomeVariable)}; }
int ChildNumber() { return std::atoi(std::getenv(kNumberVariable)); }

TEST(LakeChild, DISABLED_DiesAtAChange) {
  CandleStore store(ChildHome(),
                    std::make_shared<FaultyStore>(MakeLocalObjectStore(ChildHome().lake()),
                                                  ChildNumber(), /*before=*/true, /*die=*/true));
  store.Upsert(Version(2));
}

fs::path ReadyFile(const Home& home, int number) {
  return home.root / ("ready-" + std::to_string(number));
}

// Writes one version after the other until it is killed; says when the first one is written.
TEST(LakeChild, DISABLED_WritesForever) {
  CandleStore store(ChildHome());
  for (int version = ChildNumber();; version += 2) {
    store.Upsert(Version(version));
    if (version == ChildNumber()) WriteFileAtomic(ReadyFile(ChildHome(), version), "");
    // Locks are asked for every 20 ms: the other writer gets its turn.
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
  }
}

// Reads until a file appears; fails if it ever sees bars of two versions.
TEST(LakeChild, DISABLED_ReadsUntilTold) {
  CandleStore store(ChildHome());
  int reads = 0;
  while (!fs::exists(ChildHome().root / "stop")) {
    ASSERT_GE(VersionOf(store.Read(TestKey("X", "1d"))), 0);
    const auto info = store.Find(TestKey("X", "1d"));
    ASSERT_TRUE(info && info->bars == 800);
    ++reads;
  }
  ASSERT_GT(reads, 0);
}

TEST(PartitionCrashTest, AProcessKilledAnywhereLeavesOldOrNew) {
  for (int at = 0; at <= kChanges; ++at) {
    const TemporaryHome home;
    CandleStore(home.home()).Upsert(Version(1));
    const int status = Child("DiesAtAChange", home.home(), at).Wait();
    EXPECT_EQ(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, at < kChanges) << at;
    ExpectWhole(home.home(), at > kJournalChange ? 2 : 1, "change " + std::to_string(at));
  }
}

TEST(PartitionCrashTest, ReadersSeeWholeVersionsWhileWritersAreKilled) {
  constexpr int kKills = 6;
  constexpr uint64_t kSpread = 200;  // milliseconds
  const TemporaryHome home;
  CandleStore(home.home()).Upsert(Version(0));
  Child first_reader("ReadsUntilTold", home.home(), 0);
  Child second_reader("ReadsUntilTold", home.home(), 0);
  Random random(11);
  const auto nap = [](uint64_t time) {
    std::this_thread::sleep_for(std::chrono::milliseconds(time));
  };
  // Kills it some time after it wrote its first version.
  const auto kill_later = [&](Child& writer, int number) {
    constexpr int kPatience = 6000;
    for (int i = 0; i < kPatience && !fs::exists(ReadyFile(home.home(), number)); ++i) nap(5);
    nap(random.Below(kSpread));
    writer.Kill();
  };
  int number = 1;
  auto one = std::make_unique<Child>("WritesForever", home.home(), number);
  for (int i = 0; i < kKills; ++i) {
    // No two writers write the same versions.
    const int next = number + 1001;
    auto other = std::make_unique<Child>("WritesForever", home.home(), next);
    kill_later(*one, number);
    one = std::move(other);
    number = next;
  }
  one->Kill();
  WriteFileAtomic(home.home().root / "stop", "");
  EXPECT_EQ(first_reader.Wait(), 0);
  EXPECT_EQ(second_reader.Wait(), 0);
  const int last = VersionOf(CandleStore(home.home()).Read(TestKey("X", "1d")));
  EXPECT_GT(last, 0);
  ExpectWhole(home.home(), last, "in the end");
}

}  // namespace
}  // namespace almanac
