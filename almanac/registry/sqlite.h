// A thin owner of SQLite handles whose failures are Error(kFailed) naming the file.
#ifndef ALMANAC_REGISTRY_SQLITE_H_
#define ALMANAC_REGISTRY_SQLITE_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "almanac/base/time.h"

struct sqlite3;
struct sqlite3_stmt;

namespace almanac {

class Database;

// A prepared statement; parameters are numbered from 1, columns from 0. Must not outlive its
// database.
class Statement {
 public:
  Statement& Bind(int parameter, std::string_view text);
  Statement& Bind(int parameter, int64_t value);
  Statement& Bind(int parameter, double value);  // NaN: NULL
  Statement& Bind(int parameter, std::optional<int64_t> value);

  // Moves to the next row; false after the last one.
  bool Step();
  // Steps a statement that gives no rows.
  void Run();

  std::string Text(int column) const;
  int64_t Int(int column) const;
  double Double(int column) const;  // NULL: NaN
  std::optional<int64_t> OptionalInt(int column) const;

 private:
  friend class Database;
  Statement(const Database& database, std::string_view sql);
  void Check(int code) const;

  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };
  const Database* database_;
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
};

// One connection; not for several threads at once. Stays at its address (statements point to it).
class Database {
 public:
  // Makes the file and its folder if missing. A statement waits up to `patience` for locks of other
  // processes.
  Database(const std::filesystem::path& file, DurationMs patience);

  Statement Prepare(std::string_view sql) const { return {*this, sql}; }
  void Run(const std::string& sql) const;  // one or several statements without results
  // Turns the write-ahead log on. Two processes that do so at the same instant disturb each other
  // in a way that SQLite's own patience does not cover, so this repeats it.
  void UseWriteAheadLog(DurationMs patience) const;
  int64_t Changes() const;  // rows changed by the last statement

  const std::filesystem::path& file() const { return file_; }
  // Throws what SQLite last said, if `code` is a failure.
  void Check(int code) const;

 private:
  friend class Statement;
  struct Closer {
    void operator()(sqlite3* handle) const;
  };
  std::filesystem::path file_;
  std::unique_ptr<sqlite3, Closer> handle_;
};

// Takes the write lock at once (a reader that turns writer halfway could fail), rolls back unless
// committed.
class Transaction {
 public:
  explicit Transaction(const Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void Commit();

 private:
  const Database& database_;
  bool open_ = true;
};

}  // namespace almanac

#endif  // ALMANAC_REGISTRY_SQLITE_H_
