#include "almanac/lake/partition.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/hash.h"
#include "almanac/base/json.h"
#include "almanac/base/text.h"
#include "almanac/base/time.h"
#include "almanac/lake/partition_path.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kJournal = "_journal.json";
constexpr std::string_view kJournalFormat = "almanac lake journal";
constexpr int kJournalVersion = 1;
constexpr std::string_view kSuffix = ".parquet";
constexpr size_t kYearDigits = 4;
// Files are opened and renamed in milliseconds; a year is merged and written in seconds.
constexpr DurationMs kViewPatience = kMsPerMinute;
constexpr DurationMs kWritePatience = 30 * kMsPerMinute;

std::string NameOf(int year) { return fmt::format("{:04}{}", year, kSuffix); }
std::string StagedNameOf(int year) { return fmt::format("_{:04}{}.staged", year, kSuffix); }

// Nothing for a name that is not a year file's.
std::optional<int> YearOfName(std::string_view name) {
  if (name.size() != kYearDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  const std::string_view digits = name.substr(0, kYearDigits);
  if (digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  const auto year = ParseInt64(digits);
  if (!year || *year < kFirstLakeYear) return std::nullopt;
  return static_cast<int>(*year);
}

struct Replacement {
  std::string from, to;
  std::string sha256;  // of the content
};

struct Journal {
  std::vector<Replacement> replace;
  std::vector<std::string> remove;
};

std::string ToText(const Journal& journal) {
  Json replace = Json::array();
  for (const Replacement& one : journal.replace) {
    replace.push_back({{"from", one.from}, {"to", one.to}, {"sha256", one.sha256}});
  }
  const Json json = {{"format", kJournalFormat},
                     {"version", kJournalVersion},
                     {"replace", replace},
                     {"remove", journal.remove}};
  return json.dump() + "\n";
}

void CheckName(const std::string& name, const std::optional<int>& year) {
  if (!year) throw std::invalid_argument(fmt::format("\"{}\" is not a year's file", name));
}

Journal ParseJournal(const std::string& text) {
  const Json json = Json::parse(text);
  if (json.at("format") != kJournalFormat || json.at("version") != kJournalVersion) {
    throw std::invalid_argument("it is of another format or version");
  }
  Journal journal;
  for (const Json& one : json.at("replace")) {
    journal.replace.push_back({one.at("from"), one.at("to"), one.at("sha256")});
    const auto year = YearOfName(journal.replace.back().to);
    CheckName(journal.replace.back().to, year);
    if (journal.replace.back().from != StagedNameOf(*year)) {
      throw std::invalid_argument(
          fmt::format("\"{}\" is not a staged file", journal.replace.back().from));
    }
  }
  for (const Json& name : json.at("remove")) {
    journal.remove.push_back(name);
    CheckName(journal.remove.back(), YearOfName(journal.remove.back()));
  }
  return journal;
}

}  // namespace

int YearOf(TimeMs time) {
  const int year = ClampedYear(time);
  if (time >= StartOfDate({year, 1, 1}) && time < StartOfDate({year + 1, 1, 1})) return year;
  throw Error(ErrorCode::kBadData, fmt::format("time {}", time),
              "lies outside the years 0001 to 9999", "times are milliseconds since 1970-01-01 UTC");
}

int ClampedYear(TimeMs time) {
  if (time < StartOfDate({kFirstLakeYear, 1, 1})) return kFirstLakeYear;
  if (time >= StartOfDate({kLastLakeYear + 1, 1, 1})) return kLastLakeYear;
  return DateOf(time).year;
}

std::vector<std::vector<std::string>> ListPartitions(const ObjectStore& store,
                                                     const std::string& root,
                                                     const std::vector<std::string>& names) {
  std::vector<std::vector<std::string>> found;
  std::string seen;
  for (const ObjectInfo& info : store.List(root + "/")) {
    const std::string folder = info.key.substr(0, info.key.rfind('/'));
    if (folder == seen || folder.size() <= root.size()) continue;
    seen = folder;
    auto values = ParsePartitionPath(std::string_view(folder).substr(root.size() + 1), names);
    if (values) found.push_back(std::move(*values));
  }
  return found;
}

Partition::Partition(std::shared_ptr<ObjectStore> store, Home home, std::string path)
    : store_(std::move(store)), home_(std::move(home)), path_(std::move(path)) {}

std::string Partition::KeyOf(std::string_view name) const {
  return fmt::format("{}/{}", path_, name);
}

bool Partition::Exists() const { return !store_->List(path_ + "/").empty(); }

FileLock Partition::LockForView(FileLock::Mode mode) const {
  return {home_.locks() / "lake" / (path_ + ".view.lock"), mode, kViewPatience,
          "making a change of the lake visible"};
}

std::vector<YearFile> Partition::Open(int first, int last) const {
  if (!Exists()) return {};
  while (true) {
    {
      const FileLock lock = LockForView(FileLock::Mode::kShared);
      if (!store_->Exists(KeyOf(kJournal))) return PinYears(first, last);
    }
    FinishJournal();
  }
}

std::vector<YearFile> Partition::PinYears(int first, int last) const {
  std::vector<YearFile> files;
  const std::string folder = path_ + "/";
  for (const ObjectInfo& info : store_->List(folder)) {
    const auto year = YearOfName(std::string_view(info.key).substr(folder.size()));
    if (!year || *year < first || *year > last) continue;
    auto object = store_->Pin(info.key);
    if (object == nullptr) continue;  // deleted by something that does not know our locks
    files.push_back({*year, info.size, info.key, std::move(object)});
  }
  return files;
}

// A journal outlives its writer only if that was killed: a living one holds the lock until the
// journal is gone.
void Partition::FinishJournal() const {
  const FileLock lock = LockForView(FileLock::Mode::kExclusive);
  if (store_->Exists(KeyOf(kJournal))) ApplyJournal();
}

void Partition::ApplyJournal() const {
  const std::string key = KeyOf(kJournal);
  Journal journal;
  try {
    journal = ParseJournal(store_->Get(key));
  } catch (const std::exception& error) {
    throw Error(ErrorCode::kBadData, key, fmt::format("cannot be followed: {}", error.what()),
                "a newer Almanac may have written it; docs/lake.md says what it means");
  }
  std::vector<KeyChange> moves;
  for (const Replacement& one : journal.replace) {
    const std::string from = KeyOf(one.from);
    const std::string to = KeyOf(one.to);
    if (store_->Exists(from)) {
      moves.push_back({from, to});
    } else if (!store_->Exists(to) || Sha256(store_->Get(to)) != one.sha256) {
      // Neither still to be moved nor moved before.
      throw Error(ErrorCode::kBadData, key,
                  fmt::format("{} is gone, and {} is not what it was", one.from, one.to),
                  "delete the series' folder and import it again");
    }
  }
  store_->MoveAll(moves);
  for (const std::string& name : journal.remove) store_->Delete(KeyOf(name));
  store_->Delete(key);
}

PartitionChange::PartitionChange(const Partition& partition)
    : partition_(partition),
      write_lock_(partition.home_.locks() / "lake" / (partition.path_ + ".write.lock"),
                  FileLock::Mode::kExclusive, kWritePatience, "writing to the lake") {
  const std::string folder = partition.path_ + "/";
  if (partition.store_->Exists(partition.KeyOf(kJournal))) partition.FinishJournal();
  for (const ObjectInfo& info : partition.store_->List(folder + "_")) {
    partition.store_->Delete(info.key);
  }
  // What killed processes had begun to write.
  RemoveStaleTemporaries(partition.home_.temporary());
  if (const auto local = partition.store_->LocalPath(partition.path_)) {
    RemoveStaleTemporaries(*local);
  }
}

PartitionChange::~PartitionChange() {
  std::error_code ignored;
  for (const auto& [year, file] : staged_) fs::remove(file, ignored);
}

std::optional<YearFile> PartitionChange::Open(int year) const {
  const std::string key = partition_.KeyOf(NameOf(year));
  auto object = partition_.store_->Pin(key);
  if (object == nullptr) return std::nullopt;
  return YearFile{year, partition_.store_->Size(key).value_or(0), key, std::move(object)};
}

fs::path PartitionChange::Stage(int year) {
  std::error_code error;
  fs::create_directories(partition_.home_.temporary(), error);
  if (error) {
    throw Error(ErrorCode::kFailed, partition_.home_.temporary().string(),
                "the folder cannot be made: " + error.message());
  }
  const std::scoped_lock lock(mutex_);
  fs::path file = TemporaryBeside(partition_.home_.temporary() / NameOf(year));
  staged_[year] = file;
  return file;
}

void PartitionChange::Remove(int year) {
  const std::scoped_lock lock(mutex_);
  removed_.insert(year);
}

void PartitionChange::Commit() {
  const std::scoped_lock lock(mutex_);
  const size_t changes = staged_.size() + removed_.size();
  if (changes == 1) CommitOne();
  if (changes > 1) CommitSeveral();
  staged_.clear();
  removed_.clear();
}

// One object is replaced or deleted by the store in one step: there is nothing to record. The lock
// keeps a reader of several years from missing this change and seeing the one after it.
void PartitionChange::CommitOne() {
  ObjectStore& store = *partition_.store_;
  const FileLock lock = partition_.LockForView(FileLock::Mode::kExclusive);
  for (const auto& [year, file] : staged_) store.PutFile(partition_.KeyOf(NameOf(year)), file);
  for (const int year : removed_) store.Delete(partition_.KeyOf(NameOf(year)));
}

void PartitionChange::CommitSeveral() {
  ObjectStore& store = *partition_.store_;
  Journal journal;
  std::vector<LocalFile> files;
  for (const auto& [year, file] : staged_) {
    journal.replace.push_back({StagedNameOf(year), NameOf(year), Sha256OfFile(file)});
    files.push_back({partition_.KeyOf(StagedNameOf(year)), file});
  }
  store.PutFiles(files);
  for (const int year : removed_) journal.remove.push_back(NameOf(year));
  const FileLock lock = partition_.LockForView(FileLock::Mode::kExclusive);
  store.Put(partition_.KeyOf(kJournal), ToText(journal));  // from here on, the change has happened
  partition_.ApplyJournal();
}

}  // namespace almanac
