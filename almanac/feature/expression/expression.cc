#include "almanac/feature/expression/expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/feature/expression/function.h"
#include "almanac/feature/expression/syntax.h"

namespace almanac {
namespace {

using technical::Signal;

constexpr double kLargestExactInteger = 0x1p53;

struct FieldName {
  std::string_view name;
  Signal (*signal)(const KernelGraph&);
};
Signal Vwap(const KernelGraph& graph) { return {"vwap", graph.Field(BarField::kVwap)}; }
constexpr FieldName kFields[] = {{"open", technical::Open},     {"high", technical::High},
                                 {"low", technical::Low},       {"close", technical::Close},
                                 {"volume", technical::Volume}, {"vwap", Vwap}};

const FieldName* FindField(std::string_view name) {
  const auto* found = std::find_if(std::begin(kFields), std::end(kFields),
                                   [&](const FieldName& field) { return field.name == name; });
  return found == std::end(kFields) ? nullptr : found;
}

// A family that can be called: what it computes follows from numbers.
const Family* FindCallable(std::string_view name) {
  const Family* family = FindFamily(name);
  const bool callable = family != nullptr && !family->info.reads_text && !family->info.two_symbols;
  return callable ? family : nullptr;
}

// What one node of the tree means. Exactly one of the four is set, or none: a number.
struct Term {
  const FieldName* field = nullptr;
  std::string symbol;  // of the field; empty: the column's own
  const ExpressionFunction* pointwise = nullptr;
  const ExpressionFunction* windowed = nullptr;
  std::optional<FeatureSpec> family;

  double number = 0;
  std::vector<uint32_t> inputs;  // of functions: terms
  std::vector<double> numbers;   // of windowed functions
  int64_t look_back = 0;         // 0: the same at every bar
  bool unbounded_memory = false;

  bool is_number() const { return look_back == 0; }
};

std::string Plural(size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// Makes the terms of a tree; arguments come before the terms that use them.
class Compiler {
 public:
  explicit Compiler(std::string_view text) : text_(text), syntax_(ParseExpression(text)) {}

  std::vector<Term> Compile() {
    for (const SyntaxNode& node : syntax_) {
      Term term = TermOf(node);  // which may append terms of its own
      terms_.push_back(std::move(term));
      place_.push_back(static_cast<uint32_t>(terms_.size() - 1));
    }
    if (terms_.back().is_number()) {
      ThrowAt(text_, syntax_.back().position, "the expression is the same at every bar",
              "use a field such as close, or a function of the bars");
    }
    return std::move(terms_);
  }

 private:
  Term TermOf(const SyntaxNode& node) {
    switch (node.kind) {
      case SyntaxKind::kNumber: {
        Term term;
        term.number = node.number;
        return term;
      }
      case SyntaxKind::kName:
        return Name(node);
      case SyntaxKind::kOperator:
        return Pointwise(node, OperatorOf(node.name), PlacesOf(node));
      case SyntaxKind::kCall:
        return Call(node);
    }
    return {};
  }

  static void Widen(Term& term, const Term& argument) {
    term.look_back = std::max(term.look_back, argument.look_back);
    term.unbounded_memory = term.unbounded_memory || argument.unbounded_memory;
  }

  const Term& Argument(const SyntaxNode& node, size_t a) const {
    return terms_[place_[node.arguments[a]]];
  }

  std::vector<uint32_t> PlacesOf(const SyntaxNode& node) const {
    std::vector<uint32_t> places;
    for (const uint32_t argument : node.arguments) places.push_back(place_[argument]);
    return places;
  }

  Term Name(const SyntaxNode& node) const {
    Term term;
    const size_t dot = node.name.rfind('.');
    const bool has_symbol = dot != std::string::npos;
    const std::string wanted = has_symbol ? node.name.substr(dot + 1) : node.name;
    term.field = FindField(wanted);
    if (has_symbol) term.symbol = node.name.substr(0, dot);
    term.look_back = 1;
    if (term.field != nullptr) return term;
    if (has_symbol) RefuseOfSymbol(node, term.symbol, wanted);
    if (FindFunction(node.name) != nullptr || FindCallable(node.name) != nullptr) {
      ThrowAt(text_, node.position, fmt::format("{} is a function", node.name),
              "write " + Signature(node.name));
    }
    std::vector<std::string> known;
    for (const FieldName& field : kFields) known.emplace_back(field.name);
    Unknown(node, fmt::format("no field \"{}\"", node.name), known,
            fmt::format("fields are {}", fmt::join(known, ", ")));
  }

  [[noreturn]] void RefuseOfSymbol(const SyntaxNode& node, const std::string& symbol,
                                   const std::string& field) const {
    ThrowAt(text_, node.position + symbol.size() + 1,
            fmt::format("no field \"{}\" of {}", field, symbol),
            fmt::format("of another symbol there are fields, such as {}.close", symbol));
  }

  Term Call(const SyntaxNode& node) {
    if (const size_t dot = node.name.rfind('.'); dot != std::string::npos) {
      RefuseOfSymbol(node, node.name.substr(0, dot), node.name.substr(dot + 1));
    }
    const ExpressionFunction* function = FindFunction(node.name);
    if (function != nullptr && function->apply != nullptr) return PointwiseCall(node, *function);
    if (function != nullptr) return Windowed(node, *function);
    if (FindCallable(node.name) != nullptr) return FamilyCall(node);
    if (FindField(node.name) != nullptr) {
      ThrowAt(text_, node.position, fmt::format("{} is a field, not a function", node.name),
              fmt::format("earlier bars are lag({}, n)", node.name));
    }
    std::vector<std::string> known;
    for (const ExpressionFunction& each : AllFunctions()) known.emplace_back(each.name);
    const size_t functions = known.size();
    for (const FamilyInfo& family : Catalogue()) known.push_back(family.name);
    Unknown(node, fmt::format("no function \"{}\"", node.name), known,
            fmt::format("functions are {} and the families of `almanac features list`",
                        fmt::join(known.begin(), known.begin() + functions, ", ")));
  }

  Term PointwiseCall(const SyntaxNode& node, const ExpressionFunction& function) {
    const size_t count = node.arguments.size();
    if (function.variadic ? count < function.values : count != function.values) {
      Arity(node,
            function.variadic ? "two or more arguments" : Plural(function.values, "argument"));
    }
    const std::vector<uint32_t> places = PlacesOf(node);
    if (!function.variadic) return Pointwise(node, function, places);
    // f(f(a, b), c)
    std::vector<uint32_t> pair = {places[0], places[1]};
    for (size_t a = 2; a < count; ++a) {
      Term inner = Pointwise(node, function, pair);
      terms_.push_back(std::move(inner));
      pair = {static_cast<uint32_t>(terms_.size() - 1), places[a]};
    }
    return Pointwise(node, function, pair);
  }

  Term Pointwise(const SyntaxNode& node, const ExpressionFunction& function,
                 const std::vector<uint32_t>& arguments) const {
    Term term;
    for (const uint32_t argument : arguments) Widen(term, terms_[argument]);
    if (term.is_number()) {
      std::vector<double> numbers;
      for (const uint32_t argument : arguments) numbers.push_back(terms_[argument].number);
      term.number = ApplyPointwise(function, numbers.data());
      if (std::isfinite(term.number)) return term;
      ThrowAt(text_, node.position, "this is not a finite number",
              "its arguments are numbers only");
    }
    term.pointwise = &function;
    term.inputs = arguments;
    return term;
  }

  Term Windowed(const SyntaxNode& node, const ExpressionFunction& function) {
    if (node.arguments.size() != function.values + function.parameters) {
      Arity(node, Plural(function.values + function.parameters, "argument"));
    }
    Term term;
    term.windowed = &function;
    term.look_back = 1;
    term.unbounded_memory = function.unbounded_memory;
    for (size_t a = 0; a < function.values; ++a) {
      const Term& value = Argument(node, a);
      if (value.is_number()) {
        ThrowAt(text_, syntax_[node.arguments[a]].position,
                fmt::format("argument {} of {} is the same at every bar", a + 1, node.name),
                "it must depend on a field");
      }
      term.inputs.push_back(place_[node.arguments[a]]);
      Widen(term, value);
    }
    const int64_t bars = Integer(node, function.values, function.smallest, function.largest);
    term.numbers.push_back(static_cast<double>(bars));
    if (function.parameters == 2) term.numbers.push_back(Share(node, function.values + 1));
    Spend(node, bars);
    term.look_back += function.reach == Reach::kLag ? bars : bars - 1;
    return term;
  }

  Term FamilyCall(const SyntaxNode& node) {
    const Family& family = *FindFamily(node.name);
    const std::vector<ParameterInfo>& parameters = family.info.parameters;
    if (node.arguments.size() != parameters.size()) {
      Arity(node, Plural(parameters.size(), "argument"));
    }
    Term term;
    term.family = FeatureSpec{node.name, {}};
    int64_t previous = 0;
    for (size_t p = 0; p < parameters.size(); ++p) {
      const ParameterInfo& parameter = parameters[p];
      const int64_t value = Integer(node, p, parameter.smallest, parameter.largest);
      if (parameter.above_previous && value <= previous) {
        ThrowAt(text_, syntax_[node.arguments[p]].position,
                fmt::format("{} {} of {} is not above {} {}", parameter.name, value, node.name,
                            parameters[p - 1].name, previous),
                fmt::format("{} must be the greater", parameter.name));
      }
      term.family->parameters.emplace_back(parameter.name, value);
      previous = value;
    }
    term.look_back = LookBackOf(family, *term.family);
    term.unbounded_memory = UnboundedMemoryOf(family, *term.family);
    Spend(node, term.look_back);
    return term;
  }

  // Argument `a` of a call, which must be a whole number in [smallest, largest].
  int64_t Integer(const SyntaxNode& node, size_t a, int64_t smallest, int64_t largest) const {
    const Term& term = Argument(node, a);
    const size_t position = syntax_[node.arguments[a]].position;
    const std::string which = fmt::format("argument {} of {}", a + 1, Signature(node.name));
    const std::string right = fmt::format("a whole number from {} to {}", smallest, largest);
    if (!term.is_number())
      ThrowAt(text_, position, which + " depends on the bars", "give " + right);
    if (std::floor(term.number) != term.number || std::abs(term.number) > kLargestExactInteger) {
      ThrowAt(text_, position, fmt::format("{} is {}", which, term.number), "give " + right);
    }
    const auto value = static_cast<int64_t>(term.number);
    if (value >= smallest && value <= largest) return value;
    const bool future = value < 0 && smallest >= 0;
    ThrowAt(text_, position, fmt::format("{} is {}", which, value),
            "give " + right + (future ? "; a feature cannot look ahead" : ""));
  }

  double Share(const SyntaxNode& node, size_t a) const {
    const Term& term = Argument(node, a);
    if (term.is_number() && term.number >= 0 && term.number <= 1) return term.number;
    ThrowAt(text_, syntax_[node.arguments[a]].position,
            fmt::format("argument {} of {} is not a share", a + 1, Signature(node.name)),
            "give a number from 0 to 1");
  }

  void Spend(const SyntaxNode& node, int64_t bars) {
    bars_ += bars;
    if (bars_ <= Expression::kMostBars) return;
    ThrowAt(text_, node.position,
            fmt::format("the windows up to here hold {} bars together", bars_),
            fmt::format("at most {} in one expression; make it several features",
                        Expression::kMostBars));
  }

  static std::string Signature(const std::string& name) {
    if (const ExpressionFunction* function = FindFunction(name)) return function->info.signature;
    std::vector<std::string> parameters;
    for (const ParameterInfo& parameter : FindFamily(name)->info.parameters) {
      parameters.push_back(parameter.name);
    }
    return fmt::format("{}({})", name, fmt::join(parameters, ", "));
  }

  [[noreturn]] void Arity(const SyntaxNode& node, const std::string& takes) const {
    ThrowAt(text_, node.position,
            fmt::format("{} has {}", node.name, Plural(node.arguments.size(), "argument")),
            fmt::format("it takes {}: {}", takes, Signature(node.name)));
  }

  [[noreturn]] void Unknown(const SyntaxNode& node, std::string problem,
                            const std::vector<std::string>& known, std::string all) const {
    const std::optional<std::string> nearest = NearestWord(node.name, known);
    ThrowAt(text_, node.position, std::move(problem),
            nearest ? fmt::format("did you mean \"{}\"?", *nearest) : std::move(all));
  }

  std::string_view text_;
  Syntax syntax_;
  std::vector<Term> terms_;
  std::vector<uint32_t> place_;  // of a node's term
  int64_t bars_ = 0;
};

// A field of another symbol is held at the ticks of the entered clock: NaN where that symbol has no
// bar.
Signal WireField(KernelGraph& graph, const Term& term) {
  if (term.symbol.empty()) return term.field->signal(graph);
  const ClockKey entered = graph.entered();
  graph.Enter({term.symbol, "", entered.timeframe});
  const KernelGraph::Node node = term.field->signal(graph).node;
  graph.Enter(entered);
  return {fmt::format("{}.{}", term.symbol, term.field->name), graph.Hold(node)};
}

Signal WireTerm(KernelGraph& graph, const Term& term, const std::vector<Term>& terms,
                const std::vector<Signal>& signals) {
  if (term.field != nullptr) return WireField(graph, term);
  if (term.family) return {term.family->Name() + "()", AddFeature(graph, *term.family)};
  if (term.pointwise != nullptr) {
    std::vector<PointwiseArgument> arguments;
    for (const uint32_t input : term.inputs) {
      arguments.push_back({terms[input].is_number(), terms[input].number, signals[input]});
    }
    const bool may_be_early = term.pointwise->takes_unknown;
    return WirePointwise(graph, *term.pointwise, arguments, may_be_early ? term.look_back - 1 : 0);
  }
  std::vector<Signal> values;
  for (const uint32_t input : term.inputs) values.push_back(signals[input]);
  Signal signal = term.windowed->wire(graph, values, term.numbers);
  // What a kernel is called inside may name its argument several times; nested, that would double
  // with every level.
  signal.key = technical::KeyOf(std::string(term.windowed->name), values, term.numbers);
  return signal;
}

}  // namespace

struct Expression::Impl {
  std::vector<Term> terms;
};

Expression::Expression(std::string_view text)
    : impl_(std::make_unique<Impl>(Impl{Compiler(text).Compile()})) {}
Expression::~Expression() = default;
Expression::Expression(Expression&&) noexcept = default;

int64_t Expression::look_back() const { return impl_->terms.back().look_back; }
bool Expression::unbounded_memory() const { return impl_->terms.back().unbounded_memory; }

KernelGraph::Node Expression::AddTo(KernelGraph& graph) const {
  const std::vector<Term>& terms = impl_->terms;
  std::vector<Signal> signals;
  signals.reserve(terms.size());
  for (const Term& term : terms) {
    signals.push_back(term.is_number() ? Signal{} : WireTerm(graph, term, terms, signals));
  }
  return signals.back().node;
}

}  // namespace almanac
