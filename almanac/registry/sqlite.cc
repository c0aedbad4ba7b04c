#include "almanac/registry/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <thread>

#include "almanac/base/error.h"

namespace almanac {
namespace {

constexpr std::chrono::milliseconds kPauseBetweenTries{5};

[[noreturn]] void Fail(const std::filesystem::path& file, int code, const char* message) {
  const int primary = code & 0xff;
  if (primary == SQLITE_NOTADB) {
    throw Error(ErrorCode::kBadData, file.string(), "this is not a SQLite database",
                "move it away or choose another --home");
  }
  const bool busy = primary == SQLITE_BUSY || primary == SQLITE_LOCKED;
  throw Error(ErrorCode::kFailed, file.string(), fmt::format("SQLite: {}", message),
              busy ? "another process holds it; try again when that one is done"
                   : "check that the folder can be written and has space");
}

}  // namespace

void Statement::Finalizer::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}
void Database::Closer::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

Statement::Statement(const Database& database, std::string_view sql) : database_(&database) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(database.handle_.get(), sql.data(),
                                      static_cast<int>(sql.size()), &statement, nullptr);
  statement_.reset(statement);
  Check(code);
}

void Statement::Check(int code) const { database_->Check(code); }

Statement& Statement::Bind(int parameter, std::string_view text) {
  // An empty view may point nowhere, which SQLite would take for NULL.
  const char* data = text.empty() ? "" : text.data();
  Check(sqlite3_bind_text64(statement_.get(), parameter, data, text.size(), SQLITE_TRANSIENT,
                            SQLITE_UTF8));
  return *this;
}

Statement& Statement::Bind(int parameter, int64_t value) {
  Check(sqlite3_bind_int64(statement_.get(), parameter, value));
  return *this;
}

Statement& Statement::Bind(int parameter, double value) {
  Check(std::isnan(value) ? sqlite3_bind_null(statement_.get(), parameter)
                          : sqlite3_bind_double(statement_.get(), parameter, value));
  return *this;
}

Statement& Statement::Bind(int parameter, std::optional<int64_t> value) {
  if (value) return Bind(parameter, *value);
  Check(sqlite3_bind_null(statement_.get(), parameter));
  return *this;
}

bool Statement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) Check(code);
  return false;
}

void Statement::Run() {
  while (Step()) {
  }
}

std::string Statement::Text(int column) const {
  const auto* text = sqlite3_column_text(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return text == nullptr
             ? std::string()
             : std::string(reinterpret_cast<const char*>(text), static_cast<size_t>(size));
}

int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_.get(), column); }

double Statement::Double(int column) const {
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return sqlite3_column_double(statement_.get(), column);
}

std::optional<int64_t> Statement::OptionalInt(int column) const {
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
  return Int(column);
}

Database::Database(const std::filesystem::path& file, DurationMs patience) : file_(file) {
  if (file.has_parent_path()) {
    std::error_code error;
    std::filesystem::create_directories(file.parent_path(), error);
    if (error) {
      throw Error(ErrorCode::kFailed, file.parent_path().string(),
                  fmt::format("the folder cannot be made: {}", error.message()),
                  "choose a --home that can be written");
    }
  }
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(file.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  handle_.reset(handle);
  Check(code);
  sqlite3_extended_result_codes(handle, 1);
  constexpr DurationMs kMost = std::numeric_limits<int>::max();
  Check(sqlite3_busy_timeout(handle, static_cast<int>(std::clamp<DurationMs>(patience, 0, kMost))));
}

void Database::Check(int code) const {
  if (code == SQLITE_OK) return;
  Fail(file_, code, handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code));
}

void Database::Run(const std::string& sql) const {
  Check(sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr));
}

void Database::UseWriteAheadLog(DurationMs patience) const {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(patience);
  while (true) {
    const int code =
        sqlite3_exec(handle_.get(), "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr);
    if ((code & 0xff) != SQLITE_BUSY || Clock::now() >= deadline) return Check(code);
    std::this_thread::sleep_for(kPauseBetweenTries);
  }
}

int64_t Database::Changes() const { return sqlite3_changes(handle_.get()); }

Transaction::Transaction(const Database& database) : database_(database) {
  database_.Run("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_.Run("ROLLBACK");
  } catch (const Error&) {  // SQLite has already rolled back
  }
}

void Transaction::Commit() {
  database_.Run("COMMIT");
  open_ = false;
}

}  // namespace almanac
