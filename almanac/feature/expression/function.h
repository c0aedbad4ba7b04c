// The functions and operators of expressions: what each takes, what it computes and how its kernel
// is wired. Inside this room.
//
// A *pointwise* function looks at one bar: its arguments are values or numbers, and of numbers
// alone it is computed when the expression is read. Any NaN among its arguments, and any result
// that is not finite, gives NaN. A *windowed* one looks back over bars: its leading arguments are
// values, the others fixed numbers.
#ifndef ALMANAC_FEATURE_EXPRESSION_FUNCTION_H_
#define ALMANAC_FEATURE_EXPRESSION_FUNCTION_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/feature/family/technical.h"

namespace almanac {

inline constexpr size_t kMostValues = 3;  // arguments of one pointwise kernel

// One line of the table in docs/expressions.md.
struct FunctionInfo {
  std::string signature;  // "ema(x, n)"
  std::string meaning;
};

// How many bars before the row's own a windowed function adds to the look-back.
enum class Reach { kWindow, kLag };  // n - 1, n

struct ExpressionFunction {
  std::string_view name;
  FunctionInfo info;
  size_t values = 0;  // leading arguments that are values (series or, pointwise, numbers)

  // Pointwise.
  double (*apply)(const double* arguments) = nullptr;
  bool takes_unknown = false;  // `apply` sees NaN arguments
  bool variadic = false;       // f(a, b, c) is f(f(a, b), c)

  // Windowed: `parameters` numbers follow, the first a whole number of bars.
  using Wire = technical::Signal (*)(KernelGraph& graph,
                                     const std::vector<technical::Signal>& values,
                                     const std::vector<double>& numbers);
  Wire wire = nullptr;
  size_t parameters = 1;
  int64_t smallest = 1, largest = 1'000'000;  // of the number of bars
  Reach reach = Reach::kWindow;
  bool unbounded_memory = false;
};

std::vector<ExpressionFunction> PointwiseFunctions();
std::vector<ExpressionFunction> WindowedFunctions();

// By the name that is written; null if there is none. Operators ("+", "negate") are not found here.
const ExpressionFunction* FindFunction(std::string_view name);
const ExpressionFunction& OperatorOf(std::string_view name);
// In the order of the documentation.
const std::vector<ExpressionFunction>& AllFunctions();

// A pointwise function of what its kernel is given and what stays the same.
double ApplyPointwise(const ExpressionFunction& function, const double* arguments);

// One argument of a pointwise kernel: a signal or a number.
struct PointwiseArgument {
  bool is_number = false;
  double number = 0;
  technical::Signal signal;
};
// The first `unknown_rows` rows are NaN whatever the arguments are.
technical::Signal WirePointwise(KernelGraph& graph, const ExpressionFunction& function,
                                const std::vector<PointwiseArgument>& arguments,
                                int64_t unknown_rows);

}  // namespace almanac

#endif  // ALMANAC_FEATURE_EXPRESSION_FUNCTION_H_
