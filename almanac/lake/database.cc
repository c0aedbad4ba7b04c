#include "almanac/lake/database.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/base/text.h"
#include "almanac/lake/duckdb_api.h"
#include "almanac/lake/input_table.h"
#include "almanac/lake/result_table.h"

namespace almanac {
inline namespace duck {
namespace {

// DuckDB's messages go on with hints and, from "LINE 1:" on, the query; the first lines say what
// happened.
std::string FirstLines(const char* message) {
  constexpr size_t kLines = 3;
  const std::string_view text = message == nullptr ? "no reason given" : message;
  std::vector<std::string> kept;
  for (const std::string_view line : Split(text, '\n')) {
    if (kept.size() == kLines || line.starts_with("LINE ")) break;
    if (!Trim(line).empty()) kept.emplace_back(Trim(line));
  }
  return Join(kept, " ");
}

class Config {
 public:
  Config() {
    if (Duckdb().duckdb_create_config(&config_) != DuckDBSuccess) {
      throw Error(ErrorCode::kFailed, "DuckDB", "cannot be configured");
    }
  }
  ~Config() { Duckdb().duckdb_destroy_config(&config_); }
  Config(const Config&) = delete;
  Config& operator=(const Config&) = delete;

  void Set(const char* name, const std::string& value) {
    if (Duckdb().duckdb_set_config(config_, name, value.c_str()) == DuckDBSuccess) return;
    throw Error(ErrorCode::kFailed, "DuckDB",
                fmt::format("does not accept the setting {}={}", name, value));
  }
  duckdb_config get() const { return config_; }

 private:
  duckdb_config config_ = nullptr;
};

class Connection {
 public:
  explicit Connection(duckdb_database database) {
    if (Duckdb().duckdb_connect(database, &connection_) != DuckDBSuccess) {
      throw Error(ErrorCode::kFailed, "DuckDB", "cannot be connected to");
    }
  }
  ~Connection() { Duckdb().duckdb_disconnect(&connection_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  duckdb_connection get() const { return connection_; }
  ResultTable Run(const std::string& sql, std::string_view where) {
    duckdb_result result{};
    const struct Cleaner {
      duckdb_result& result;
      ~Cleaner() { Duckdb().duckdb_destroy_result(&result); }
    } cleaner{result};
    if (Duckdb().duckdb_query(connection_, sql.c_str(), &result) != DuckDBSuccess) {
      throw Error(ErrorCode::kBadData, std::string(where),
                  FirstLines(Duckdb().duckdb_result_error(&result)));
    }
    return FetchAll(result);
  }

 private:
  duckdb_connection connection_ = nullptr;
};

}  // namespace

struct Database::Impl {
  ~Impl() { Duckdb().duckdb_close(&database); }

  InputTables inputs;
  duckdb_database database = nullptr;
};

Database::Database(const DatabaseOptions& options) {
  Duckdb();  // first, because an Impl cannot be destroyed without the library
  impl_ = std::make_unique<Impl>();
  Config config;
  // Nothing may be fetched from the network behind the user's back.
  config.Set("autoinstall_known_extensions", "false");
  config.Set("autoload_known_extensions", "false");
  // The cache goes by path, and the lake's paths are those of open descriptors.
  config.Set("enable_external_file_cache", "false");
  config.Set("threads", std::to_string(options.threads > 0 ? options.threads : ThreadCount()));
  config.Set("memory_limit", options.memory_limit);
  config.Set("temp_directory", options.temporary.string());
  char* message = nullptr;
  if (Duckdb().duckdb_open_ext(nullptr, &impl_->database, config.get(), &message) !=
      DuckDBSuccess) {
    const std::string reason = FirstLines(message);
    Duckdb().duckdb_free(message);
    throw Error(ErrorCode::kFailed, "DuckDB", "cannot be started: " + reason);
  }
  impl_->inputs.Register(Connection(impl_->database).get());
}

Database::~Database() = default;
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;

ResultTable Database::Query(const std::string& sql, std::string_view where) const {
  return Connection(impl_->database).Run(sql, where);
}

ResultTable Database::QueryWith(const std::string& sql, const std::string& name,
                                const std::vector<InputColumn>& columns, size_t rows,
                                std::string_view where) const {
  const uint64_t id = impl_->inputs.Add({columns, rows});
  const struct Cleaner {
    InputTables& inputs;
    uint64_t id;
    ~Cleaner() { inputs.Remove(id); }
  } cleaner{impl_->inputs, id};
  Connection connection(impl_->database);
  connection.Run(fmt::format("CREATE TEMP VIEW {} AS FROM {}", name, InputTables::Sql(id)), where);
  return connection.Run(sql, where);
}

std::string SqlText(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted.append(c == '\'' ? 2 : 1, c);
  return quoted + "'";
}

void WriteParquet(const Database& database, const std::filesystem::path& file,
                  const std::vector<InputColumn>& columns, size_t rows) {
  // Five row groups hold a year of minutes, so a range reads a fraction of it. Version 1 encodings
  // are what every reader of the field knows. Bloom filters serve no query on columns like these.
  constexpr int kRowGroupRows = 122'880;
  database.QueryWith(
      fmt::format("COPY (FROM parquet_rows) TO {} (FORMAT parquet, COMPRESSION zstd, "
                  "PARQUET_VERSION v1, ROW_GROUP_SIZE {}, WRITE_BLOOM_FILTER false, "
                  "USE_TMP_FILE false)",
                  SqlText(file.string()), kRowGroupRows),
      "parquet_rows", columns, rows, file.string());
}

std::string DuckDbVersion() { return Duckdb().duckdb_library_version(); }

}  // namespace duck
}  // namespace almanac
