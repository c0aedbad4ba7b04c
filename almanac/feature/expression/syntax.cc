#include "almanac/feature/expression/syntax.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "almanac/base/error.h"

namespace almanac {
namespace {

// Of a longer text the error shows this many characters on each side.
constexpr size_t kShownBefore = 60;
constexpr size_t kShownAfter = 30;

enum class TokenKind { kNumber, kName, kSymbol, kEnd };

struct Token {
  TokenKind kind = TokenKind::kEnd;
  size_t position = 0;
  std::string_view text;
  double number = 0;
};

// Without the locale that <cctype> would ask.
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool ContinuesCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Token Next() {
    while (place_ < text_.size() && IsSpace(text_[place_])) ++place_;
    if (place_ == text_.size()) return {TokenKind::kEnd, place_, "", 0};
    const char c = text_[place_];
    const bool digit_follows = place_ + 1 < text_.size() && IsDigit(text_[place_ + 1]);
    if (IsDigit(c) || (c == '.' && digit_follows)) return Number();
    if (IsLetter(c)) return Name();
    return Symbol();
  }

 private:
  Token Take(TokenKind kind, size_t length) {
    const Token token{kind, place_, text_.substr(place_, length), 0};
    place_ += length;
    return token;
  }

  Token Number() {
    const char* begin = text_.data() + place_;
    double value = 0;
    const auto [end, failure] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (failure != std::errc() || !std::isfinite(value)) {
      ThrowAt(text_, place_, "the number is out of range", "numbers are at most 1.8e308 in size");
    }
    Token token = Take(TokenKind::kNumber, static_cast<size_t>(end - begin));
    token.number = value;
    if (place_ < text_.size() && (IsLetter(text_[place_]) || text_[place_] == '.')) {
      ThrowAt(text_, place_, "a number goes on with something else",
              "put an operator or a comma behind it");
    }
    return token;
  }

  // Points join a symbol and its field: BRK.B.close.
  Token Name() {
    size_t end = place_ + 1;
    const auto continues = [&](size_t at) {
      return at < text_.size() && (IsLetter(text_[at]) || IsDigit(text_[at]));
    };
    while (continues(end) || (end < text_.size() && text_[end] == '.' && continues(end + 1))) ++end;
    return Take(TokenKind::kName, end - place_);
  }

  Token Symbol() {
    for (const std::string_view two : {"<=", ">=", "==", "!=", "&&", "||"}) {
      if (text_.substr(place_, 2) == two) return Take(TokenKind::kSymbol, 2);
    }
    const char c = text_[place_];
    if (std::string_view("+-*/()<>,!").find(c) != std::string_view::npos) {
      if (text_.substr(place_, 2) == "**") RefusePower();
      return Take(TokenKind::kSymbol, 1);
    }
    if (c == '^') RefusePower();
    if (c == '=') ThrowAt(text_, place_, "= is not an operator", "equality is ==");
    size_t length = 1;
    while (place_ + length < text_.size() && ContinuesCharacter(text_[place_ + length])) ++length;
    const bool shown = static_cast<unsigned char>(c) >= ' ' && c != 0x7F;
    ThrowAt(text_, place_,
            shown ? fmt::format("\"{}\" has no meaning here", text_.substr(place_, length))
                  : fmt::format("byte {} has no meaning here", static_cast<unsigned char>(c)),
            "an expression has numbers, names, ( ) , and the operators + - * / < <= > >= == != and "
            "or not");
  }

  [[noreturn]] void RefusePower() const {
    ThrowAt(text_, place_, "there is no operator for powers", "write power(x, y)");
  }

  std::string_view text_;
  size_t place_ = 0;
};

struct Operator {
  std::string_view text, name;
  int precedence;
};
constexpr int kComparison = 3;
constexpr int kTightest = 6;
constexpr Operator kBinary[] = {
    {"or", "or", 1}, {"||", "or", 1}, {"and", "and", 2}, {"&&", "and", 2}, {"<", "<", 3},
    {"<=", "<=", 3}, {">", ">", 3},   {">=", ">=", 3},   {"==", "==", 3},  {"!=", "!=", 3},
    {"+", "+", 4},   {"-", "-", 4},   {"*", "*", 5},     {"/", "/", 5},
};

bool IsWordOperator(std::string_view text) {
  return text == "and" || text == "or" || text == "not";
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), lexer_(text) { token_ = lexer_.Next(); }

  Syntax Parse() {
    if (token_.kind == TokenKind::kEnd) {
      ThrowAt(text_, 0, "the expression is empty", "write one such as close / open - 1");
    }
    Operators(1);
    if (token_.kind != TokenKind::kEnd) {
      const bool closing = token_.text == ")";
      ThrowAt(text_, token_.position,
              closing ? std::string("no ( belongs to this )")
                      : fmt::format("\"{}\" where an operator should be", token_.text),
              closing ? "remove it, or open it before" : "put an operator between two values");
    }
    return std::move(nodes_);
  }

 private:
  // Counts what lies in each other while it lives.
  class Level {
   public:
    explicit Level(Parser& parser) : parser_(parser) {
      if (++parser_.depth_ <= kDeepestExpression) return;
      ThrowAt(parser_.text_, parser_.token_.position, "the expression is nested too deeply",
              fmt::format("at most {} parentheses, calls and signs lie in each other; make it "
                          "several features",
                          kDeepestExpression));
    }
    ~Level() { --parser_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Parser& parser_;
  };

  Token Advance() { return std::exchange(token_, lexer_.Next()); }
  bool At(std::string_view symbol) const {
    return token_.kind == TokenKind::kSymbol && token_.text == symbol;
  }
  uint32_t Append(SyntaxNode node) {
    nodes_.push_back(std::move(node));
    return static_cast<uint32_t>(nodes_.size() - 1);
  }

  const Operator* BinaryHere() const {
    if (token_.kind != TokenKind::kSymbol && token_.kind != TokenKind::kName) return nullptr;
    const auto* found = std::find_if(std::begin(kBinary), std::end(kBinary),
                                     [&](const Operator& o) { return o.text == token_.text; });
    return found == std::end(kBinary) ? nullptr : found;
  }

  // Everything joined by operators that bind at least as tightly as `loosest`.
  uint32_t Operators(int loosest) {
    uint32_t left = Prefixed(loosest);
    bool compared = false;
    for (const Operator* op = BinaryHere(); op != nullptr && op->precedence >= loosest;
         op = BinaryHere()) {
      if (op->precedence == kComparison && std::exchange(compared, true)) {
        ThrowAt(text_, token_.position, "comparisons do not chain", "write a < b and b < c");
      }
      compared = op->precedence == kComparison;
      const size_t position = Advance().position;
      const uint32_t right = Operators(op->precedence + 1);
      left = Append({SyntaxKind::kOperator, position, 0, std::string(op->name), {left, right}});
    }
    return left;
  }

  // `not` binds less tightly than comparisons, the signs more tightly than everything.
  uint32_t Prefixed(int loosest) {
    const bool word = token_.kind == TokenKind::kName && token_.text == "not";
    if (!word && !At("!") && !At("-") && !At("+")) return Primary();
    const Level level(*this);
    const Token sign = Advance();
    if (sign.text == "-" || sign.text == "+") {
      const uint32_t operand = Prefixed(kTightest);
      if (sign.text == "+") return operand;
      return Append({SyntaxKind::kOperator, sign.position, 0, "negate", {operand}});
    }
    if (loosest > kComparison) {
      ThrowAt(text_, sign.position, fmt::format("{} inside arithmetic", sign.text),
              fmt::format("put parentheses around it: ({} ...)", sign.text));
    }
    const uint32_t operand = Operators(kComparison);
    return Append({SyntaxKind::kOperator, sign.position, 0, "not", {operand}});
  }

  uint32_t Primary() {
    const Token token = token_;
    if (token.kind == TokenKind::kNumber) {
      Advance();
      return Append({SyntaxKind::kNumber, token.position, token.number, "", {}});
    }
    if (token.kind == TokenKind::kName && !IsWordOperator(token.text)) return NameOrCall();
    if (At("(")) {
      const Level level(*this);
      Advance();
      const uint32_t inner = Operators(1);
      Close(token.position);
      return inner;
    }
    if (token.kind == TokenKind::kEnd) {
      ThrowAt(text_, token.position, "the expression ends where a value should be",
              "a number, a name or ( is missing");
    }
    ThrowAt(text_, token.position, fmt::format("\"{}\" where a value should be", token.text),
            "a number, a name or ( is missing");
  }

  uint32_t NameOrCall() {
    const Token name = Advance();
    SyntaxNode node{SyntaxKind::kName, name.position, 0, std::string(name.text), {}};
    if (!At("(")) return Append(std::move(node));
    const Level level(*this);
    const size_t opened = Advance().position;
    node.kind = SyntaxKind::kCall;
    if (!At(")")) {
      node.arguments.push_back(Operators(1));
      while (At(",")) {
        Advance();
        node.arguments.push_back(Operators(1));
      }
    }
    Close(opened);
    return Append(std::move(node));
  }

  void Close(size_t opened) {
    if (At(")")) {
      Advance();
      return;
    }
    if (token_.kind == TokenKind::kEnd) {
      ThrowAt(text_, opened, "this ( is not closed", "put a ) where it ends");
    }
    ThrowAt(text_, token_.position, fmt::format("\"{}\" where ) should be", token_.text),
            "close the parenthesis, or put an operator or a comma here");
  }

  std::string_view text_;
  Lexer lexer_;
  Token token_;
  Syntax nodes_;
  size_t depth_ = 0;
};

size_t CharactersBefore(std::string_view text, size_t position) {
  return static_cast<size_t>(std::count_if(text.begin(), text.begin() + position,
                                           [](char c) { return !ContinuesCharacter(c); }));
}

// The part of the text around `position` on one line, and a caret below it on the next.
std::string Picture(std::string_view text, size_t position) {
  size_t first = position > kShownBefore ? position - kShownBefore : 0;
  size_t last = std::min(text.size(), position + kShownAfter);
  while (first > 0 && ContinuesCharacter(text[first])) --first;
  while (last < text.size() && ContinuesCharacter(text[last])) ++last;
  std::string line(text.substr(first, last - first));
  std::replace_if(
      line.begin(), line.end(),
      [](char c) { return (static_cast<unsigned char>(c) < ' ') || c == 0x7F; }, ' ');
  const std::string_view begin = first > 0 ? "..." : "";
  const size_t column = begin.size() + CharactersBefore(text.substr(first), position - first);
  return fmt::format("\n  {}{}{}\n  {}^", begin, line, last < text.size() ? "..." : "",
                     std::string(column, ' '));
}

}  // namespace

void ThrowAt(std::string_view text, size_t position, std::string problem, std::string remedy) {
  throw Error(ErrorCode::kUsage, fmt::format("character {}", CharactersBefore(text, position) + 1),
              std::move(problem), std::move(remedy) + Picture(text, position));
}

Syntax ParseExpression(std::string_view text) {
  if (text.size() > kLongestExpression) {
    ThrowAt(text, kLongestExpression, fmt::format("the expression has {} bytes", text.size()),
            fmt::format("at most {} are read; make it several features", kLongestExpression));
  }
  return Parser(text).Parse();
}

}  // namespace almanac
