#include "almanac/feature/expression/function.h"

#include <algorithm>

namespace almanac {

const std::vector<ExpressionFunction>& AllFunctions() {
  static const std::vector<ExpressionFunction> kFunctions = [] {
    std::vector<ExpressionFunction> functions = PointwiseFunctions();
    for (ExpressionFunction& function : WindowedFunctions()) {
      functions.push_back(std::move(function));
    }
    return functions;
  }();
  return kFunctions;
}

const ExpressionFunction* FindFunction(std::string_view name) {
  const std::vector<ExpressionFunction>& all = AllFunctions();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const ExpressionFunction& f) { return f.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace almanac
