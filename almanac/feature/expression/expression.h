// A feature written as an expression in configuration, and the kernels that compute it.
//
//   features:
//     - {expression: "(close - ema(close, 20)) / atr(14)", name: stretch}
//
// Text -> syntax tree -> terms (names known, arguments checked, constants folded, look-back
// computed) -> nodes of a kernel graph; equal parts of all columns of a graph are one node.
// docs/expressions.md describes the language.
#ifndef ALMANAC_FEATURE_EXPRESSION_EXPRESSION_H_
#define ALMANAC_FEATURE_EXPRESSION_EXPRESSION_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "almanac/feature/graph.h"

namespace almanac {

class Expression {
 public:
  // The windows of one expression hold at most this many bars together.
  static constexpr int64_t kMostBars = 1'000'000;

  // Throws Error(kUsage) that points at the character (its place is "character 10", its remedy
  // ends with the text and a caret).
  explicit Expression(std::string_view text);
  ~Expression();
  Expression(Expression&&) noexcept;

  // Bars that a value needs, its own included; rows before are NaN.
  int64_t look_back() const;
  // Whether bars before the look-back still have weight.
  bool unbounded_memory() const;

  KernelGraph::Node AddTo(KernelGraph& graph) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace almanac

#endif  // ALMANAC_FEATURE_EXPRESSION_EXPRESSION_H_
