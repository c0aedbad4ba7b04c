#include "almanac/gbdt/column_roles.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "almanac/base/config.h"
#include "almanac/base/error.h"
#include "almanac/base/text.h"

namespace almanac::gbdt {
namespace {

constexpr std::string_view kByName = "name:";

// The columns that a text lists. `label`: numbers count without it.
std::vector<size_t> ColumnsIn(std::string_view text, const NumberTable& table,
                              std::optional<size_t> label, const std::string& where) {
  std::vector<size_t> columns;
  const bool by_name = text.starts_with(kByName);
  if (by_name) text.remove_prefix(kByName.size());
  for (std::string_view word : almanac::Split(text, ',')) {
    word = Trim(word);
    if (word.empty()) continue;
    if (by_name) {
      columns.push_back(table.Find(word, where));
      continue;
    }
    const std::optional<int64_t> number = ParseInt64(word);
    if (!number || *number < 0) {
      throw Error(ErrorCode::kUsage, where, fmt::format("\"{}\" is not a column number", word),
                  fmt::format("give name:{} for a column of that name", word));
    }
    auto column = static_cast<size_t>(*number);
    if (label && column >= *label) ++column;
    if (column >= table.columns.size()) {
      throw Error(
          ErrorCode::kUsage, where,
          fmt::format("there is no column {}: {} has {}", word, table.file, table.columns.size()),
          label ? "columns count from 0, without the label" : "columns count from 0");
    }
    columns.push_back(column);
  }
  return columns;
}

std::optional<size_t> OneColumnIn(std::string_view text, const NumberTable& table,
                                  std::optional<size_t> label, const std::string& where) {
  const std::vector<size_t> columns = ColumnsIn(text, table, label, where);
  if (columns.size() > 1) {
    throw Error(ErrorCode::kUsage, where, fmt::format("{} names {} columns", text, columns.size()),
                "name one");
  }
  return columns.empty() ? std::nullopt : std::optional(columns.front());
}

std::string NameOf(const NumberTable& table, size_t column) {
  return table.names.empty() ? fmt::format("column {}", column)
                             : fmt::format("column \"{}\"", table.names[column]);
}

bool HasGeneratedNames(const std::vector<std::string>& features) {
  for (size_t i = 0; i < features.size(); ++i) {
    if (features[i] != fmt::format("Column_{}", i)) return false;
  }
  return true;
}

// Model files hold names without spaces.
std::string SafeName(std::string name) {
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

std::vector<size_t> MatchByName(const std::vector<std::string>& features,
                                const NumberTable& table) {
  std::vector<std::string> names;
  for (const std::string& name : table.names) names.push_back(SafeName(name));
  std::vector<size_t> columns;
  for (const std::string& feature : features) {
    const auto found = std::find(names.begin(), names.end(), feature);
    if (found == names.end()) {
      const std::optional<std::string> near = NearestWord(feature, names);
      throw Error(ErrorCode::kBadData, table.file,
                  fmt::format("lacks the column \"{}\" that the model was trained on", feature),
                  near ? fmt::format("is it the one called \"{}\"?", *near)
                       : "give all of the model's columns");
    }
    columns.push_back(static_cast<size_t>(found - names.begin()));
  }
  return columns;
}

}  // namespace

ColumnRoles AssignRoles(const RoleTexts& texts, const NumberTable& table,
                        const std::string& where) {
  const auto place = [&](const char* key) { return fmt::format("{}: {}", where, key); };
  ColumnRoles roles;
  roles.label = OneColumnIn(texts.label, table, std::nullopt, place("label_column")).value_or(0);
  roles.weight = OneColumnIn(texts.weight, table, roles.label, place("weight_column"));
  std::set<size_t> taken = {roles.label};
  const auto take = [&](size_t column, const char* key) {
    if (taken.insert(column).second) return;
    throw Error(ErrorCode::kUsage, place(key),
                fmt::format("{} has another role already", NameOf(table, column)),
                "give every column one role");
  };
  if (roles.weight) take(*roles.weight, "weight_column");
  for (const size_t column : ColumnsIn(texts.ignore, table, roles.label, place("ignore_column"))) {
    take(column, "ignore_column");
  }
  for (size_t column = 0; column < table.columns.size(); ++column) {
    if (!taken.contains(column)) roles.features.push_back(column);
  }
  if (roles.features.empty()) {
    throw Error(ErrorCode::kUsage, table.file, "no column is left to learn from",
                "a file needs a label and at least one feature");
  }
  for (const size_t column :
       ColumnsIn(texts.categorical, table, roles.label, place("categorical_feature"))) {
    if (taken.contains(column)) take(column, "categorical_feature");
    const auto found = std::lower_bound(roles.features.begin(), roles.features.end(), column);
    roles.categorical.push_back(static_cast<int>(found - roles.features.begin()));
  }
  std::sort(roles.categorical.begin(), roles.categorical.end());
  roles.categorical.erase(std::unique(roles.categorical.begin(), roles.categorical.end()),
                          roles.categorical.end());
  return roles;
}

ColumnRoles SameRoles(const ColumnRoles& roles, const NumberTable& table,
                      const NumberTable& other) {
  if (table.names.empty() || other.names.empty()) {
    if (table.columns.size() == other.columns.size()) return roles;
    throw Error(ErrorCode::kBadData, other.file,
                fmt::format("has {} columns, {} has {}", other.columns.size(), table.file,
                            table.columns.size()),
                "give the same columns in the same order");
  }
  const auto counterpart = [&](size_t column) {
    const auto found = std::find(other.names.begin(), other.names.end(), table.names[column]);
    if (found != other.names.end()) return static_cast<size_t>(found - other.names.begin());
    throw Error(ErrorCode::kBadData, other.file,
                fmt::format("lacks the column \"{}\" of {}", table.names[column], table.file),
                "give the same columns, in any order");
  };
  ColumnRoles same = roles;
  same.label = counterpart(roles.label);
  if (roles.weight) same.weight = counterpart(*roles.weight);
  for (size_t& column : same.features) column = counterpart(column);
  return same;
}

std::vector<size_t> MatchFeatures(const std::vector<std::string>& features,
                                  const NumberTable& table, const RoleTexts& texts) {
  if (!table.names.empty() && !HasGeneratedNames(features)) return MatchByName(features, table);
  std::vector<size_t> columns(table.columns.size());
  std::iota(columns.begin(), columns.end(), size_t{0});
  if (columns.size() > features.size()) {
    columns = AssignRoles(texts, table, "almanac gbdt").features;
  }
  if (columns.size() == features.size()) return columns;
  throw Error(ErrorCode::kBadData, table.file,
              fmt::format("has {} columns, {} of them features; the model has {}",
                          table.columns.size(), columns.size(), features.size()),
              "give the model's columns in their order, the settings that tell the others from "
              "them, or a file with a header");
}

}  // namespace almanac::gbdt
