// Columns that are written down: docs/expressions.md.
#include "almanac/feature/expression/expression.h"

#include <fmt/format.h>

#include <algorithm>

#include "almanac/base/error.h"
#include "almanac/feature/family.h"

namespace almanac {
namespace {

constexpr size_t kLongestName = 100;

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// A name that tables and files can carry.
void CheckName(const std::string& name) {
  const auto may_follow = [](char c) { return IsLetter(c) || (c >= '0' && c <= '9') || c == '_'; };
  const bool fits = !name.empty() && name.size() <= kLongestName && IsLetter(name.front()) &&
                    std::all_of(name.begin(), name.end(), may_follow);
  if (fits) return;
  throw Error(ErrorCode::kUsage, "name", fmt::format("\"{}\" cannot name a feature", name),
              fmt::format("a name is a letter and then letters, digits and _, at most {} together",
                          kLongestName));
}

void Check(const FeatureSpec& spec) {
  CheckName(spec.text_name);
  const Expression checked(spec.text);
}

std::vector<FeatureSpec> Read(const ConfigNode& node) {
  FeatureSpec spec{"expression", {}};
  spec.text = node.String("expression");
  if (!node.Has("name")) {
    throw Error(ErrorCode::kUsage, node.Place("expression"), "the expression has no name",
                "say what its column is called, such as name: my_feature");
  }
  spec.text_name = node.String("name");
  try {
    Check(spec);
  } catch (const Error& error) {
    throw error.Within(node.Place("expression"));
  }
  return {spec};
}

KernelGraph::Node Add(KernelGraph& graph, const FeatureSpec& spec) {
  return Expression(spec.text).AddTo(graph);
}

int64_t LookBack(const FeatureSpec& spec) { return Expression(spec.text).look_back(); }

bool UnboundedMemory(const FeatureSpec& spec) { return Expression(spec.text).unbounded_memory(); }

}  // namespace

std::vector<Family> ExpressionFamilies() {
  Family family;
  family.info = {.name = "expression",
                 .formula = "as written in configuration",
                 .unit = "as written",
                 .range = "(-inf, inf)",
                 .look_back = "computed from its functions",
                 .smallest_window = 0,
                 .source = "docs/expressions.md",
                 .reads_text = true};
  family.read_text = Read;
  family.check_text = Check;
  family.add_text = Add;
  family.look_back_of_text = LookBack;
  family.unbounded_memory_of_text = UnboundedMemory;
  return {family};
}

}  // namespace almanac
