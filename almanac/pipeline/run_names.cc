#include "almanac/pipeline/run_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/json.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

constexpr const char* kRecord = "run.json";

std::string RecipeOf(const fs::path& folder) {
  const Json record = Json::parse(ReadFile(folder / kRecord), nullptr, /*allow_exceptions=*/false);
  const bool known = record.is_object() && record.contains("recipe");
  return known && record["recipe"].is_string() ? record["recipe"].get<std::string>() : "";
}

std::optional<NamedRun> LatestOf(const Home& home, const std::vector<std::string>& names,
                                 std::string_view recipe) {
  std::vector<std::pair<fs::file_time_type, std::string>> found;
  for (const std::string& name : names) {
    const fs::path folder = home.runs() / name;
    if (RecipeOf(folder) == recipe) found.emplace_back(fs::last_write_time(folder / kRecord), name);
  }
  if (found.empty()) return std::nullopt;
  const std::string& latest = std::max_element(found.begin(), found.end())->second;
  return NamedRun{home.runs() / latest, found.size() == 1
                                            ? fmt::format("{}: the run {}", recipe, latest)
                                            : fmt::format("{}: the run {}, the latest of {}",
                                                          recipe, latest, found.size())};
}

}  // namespace

std::vector<std::string> RunNames(const Home& home) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(home.runs(), error)) {
    if (fs::exists(entry.path() / kRecord)) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<NamedRun> FindRunByName(const Home& home, std::string_view name) {
  if (name.empty()) return std::nullopt;
  const std::vector<std::string> names = RunNames(home);
  if (std::find(names.begin(), names.end(), name) != names.end()) {
    return NamedRun{home.runs() / name, ""};
  }
  if (auto latest = LatestOf(home, names, name)) return latest;
  std::vector<std::string> beginning;
  std::copy_if(names.begin(), names.end(), std::back_inserter(beginning),
               [&](const std::string& one) { return one.starts_with(name); });
  if (beginning.empty()) return std::nullopt;
  if (beginning.size() == 1) {
    return NamedRun{home.runs() / beginning.front(),
                    fmt::format("{}: the run {}", name, beginning.front())};
  }
  throw Error(ErrorCode::kUsage, std::string(name),
              fmt::format("{} runs begin so", beginning.size()),
              fmt::format("name one of {}", fmt::join(beginning, ", ")));
}

}  // namespace almanac
