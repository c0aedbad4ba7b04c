#include "almanac/target/any_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>

#include "almanac/base/error.h"

namespace almanac {
namespace {

template <typename Spec>
constexpr bool kIsForward = std::is_same_v<Spec, TargetSpec>;

// Calls make(Spec()) for the alternative, other than TargetSpec, whose kind this is.
template <size_t index = 1, typename Make>
bool ForKind(const std::string& kind, const Make& make) {
  if constexpr (index < std::variant_size_v<AnyTarget>) {
    using Spec = std::variant_alternative_t<index, AnyTarget>;
    if (kind != Spec::kKind) return ForKind<index + 1>(kind, make);
    make(Spec());
    return true;
  } else {
    return false;
  }
}

template <size_t... index>
void AppendKinds(std::vector<std::string>* names, std::index_sequence<index...> /*unused*/) {
  (names->emplace_back(std::variant_alternative_t<index + 1, AnyTarget>::kKind), ...);
}

}  // namespace

std::vector<std::string> TargetKindNames() {
  std::vector<std::string> names;
  for (const TargetKind kind :
       {TargetKind::kForwardReturn, TargetKind::kForwardLogReturn, TargetKind::kForwardClose}) {
    names.emplace_back(Name(kind));
  }
  AppendKinds(&names, std::make_index_sequence<std::variant_size_v<AnyTarget> - 1>());
  return names;
}

AnyTarget AnyTargetFromConfig(const ConfigNode& node) {
  AnyTarget target;
  const bool found = ForKind(node.Choice("kind", TargetKindNames()), [&](auto spec) {
    ConfigReader reader(node);
    spec.VisitFields(reader);
    target = spec;
  });
  if (!found) target = TargetSpec::FromConfig(node);
  return target;
}

AnyTarget AnyTargetFromJson(const Json& json) {
  try {
    AnyTarget target;
    const bool found = ForKind(json.at("kind").get<std::string>(), [&](auto spec) {
      JsonReader reader(json);
      spec.VisitFields(reader);
      CheckFields(spec);
      target = spec;
    });
    if (!found) target = TargetSpec::FromJson(json);
    return target;
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadData, "target", error.what(), "expected what a target wrote");
  } catch (const Error& error) {
    throw Error(ErrorCode::kBadData, error.where(), error.problem(), error.remedy());
  }
}

Json ToJson(const AnyTarget& target) {
  return std::visit(
      [](auto spec) {
        if constexpr (kIsForward<decltype(spec)>) {
          return spec.ToJson();
        } else {
          Json json = {{"kind", spec.kKind}};
          JsonWriter writer(&json);
          spec.VisitFields(writer);
          return json;
        }
      },
      target);
}

std::string ColumnName(const AnyTarget& target) {
  return std::visit([](const auto& spec) { return spec.ColumnName(); }, target);
}

int64_t HorizonOf(const AnyTarget& target) {
  return std::visit([](const auto& spec) { return spec.horizon; }, target);
}

bool IsAtEvents(const AnyTarget& target) { return std::holds_alternative<SwingSpec>(target); }

std::vector<std::string> ClassesOf(const AnyTarget& target) {
  return std::visit(
      [](const auto& spec) {
        if constexpr (requires { spec.Classes(); }) {
          return spec.Classes();
        } else {
          return std::vector<std::string>();
        }
      },
      target);
}

Labels BuildLabels(const AnyTarget& target, const CandleSeries& series) {
  return std::visit([&](const auto& spec) { return BuildLabels(spec, series); }, target);
}

}  // namespace almanac
