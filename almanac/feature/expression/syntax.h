// The text of an expression as a tree, and errors that point into the text. Inside this room.
//
//   (close - ema(close, 20)) / atr(14)
//
// docs/expressions.md has the grammar. Nothing is known here of which names exist.
#ifndef ALMANAC_FEATURE_EXPRESSION_SYNTAX_H_
#define ALMANAC_FEATURE_EXPRESSION_SYNTAX_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// Limits that keep hostile text from exhausting stack or memory.
inline constexpr size_t kLongestExpression = 4000;  // bytes
inline constexpr size_t kDeepestExpression = 100;   // parentheses, calls and prefixes in each other

enum class SyntaxKind { kNumber, kName, kCall, kOperator };

struct SyntaxNode {
  SyntaxKind kind = SyntaxKind::kNumber;
  size_t position = 0;  // the byte where a number, a name or an operator stands
  double number = 0;
  std::string name;  // of a name, a call ("ema") or an operator ("+", "<=", "and", "negate")
  std::vector<uint32_t> arguments;  // indices of nodes
};

// Arguments come before the nodes that use them; the last node is the whole expression.
using Syntax = std::vector<SyntaxNode>;

// Throws Error(kUsage) whose place is "character 10" and whose remedy ends with the text and a
// caret below that character.
Syntax ParseExpression(std::string_view text);

[[noreturn]] void ThrowAt(std::string_view text, size_t position, std::string problem,
                          std::string remedy);

}  // namespace almanac

#endif  // ALMANAC_FEATURE_EXPRESSION_SYNTAX_H_
