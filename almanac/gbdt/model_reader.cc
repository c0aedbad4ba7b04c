// Reads the text format. Keys are looked up by name, so that files of older and newer versions with
// the same keys can be read; tree_sizes is not needed and therefore not believed.
#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <map>

#include "almanac/base/error.h"
#include "almanac/base/text.h"
#include "almanac/gbdt/model.h"
#include "almanac/gbdt/objective.h"

namespace almanac::gbdt {
namespace {

struct Line {
  std::string_view text;
  size_t number = 0;
};

class Lines {
 public:
  Lines(std::string_view text, std::string_view name) : rest_(text), name_(name) {}

  bool is_done() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

  Line Next() {
    const size_t end = std::min(rest_.find('\n'), rest_.size());
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return {line, ++number_};
  }

  std::string Place(size_t line) const { return fmt::format("{}:{}", name_, line); }
  std::string Here() const { return Place(number_); }

 private:
  std::string_view rest_, name_;
  size_t number_ = 0;
};

[[noreturn]] void Fail(const std::string& place, const std::string& what) {
  throw Error(ErrorCode::kBadData, place, what,
              "expected a model in LightGBM's text format, version v4");
}

// "key=value" lines up to an empty one.
class Block {
 public:
  Block(Lines& lines, Line first) : lines_(lines), start_(first.number) {
    for (Line line = first; !line.text.empty(); line = lines.Next()) {
      const size_t equals = line.text.find('=');
      const std::string_view key = line.text.substr(0, equals);
      const std::string_view value =
          equals == std::string_view::npos ? "" : line.text.substr(equals + 1);
      if (!values_.emplace(key, Line{value, line.number}).second) {
        Fail(lines.Place(line.number), fmt::format("{} is given twice", key));
      }
      if (lines.is_done()) break;
    }
  }

  std::string place() const { return lines_.Place(start_); }
  bool Has(std::string_view key) const { return values_.contains(key); }

  Line Value(std::string_view key) const {
    const auto found = values_.find(key);
    if (found == values_.end()) Fail(place(), fmt::format("{} is missing", key));
    return found->second;
  }

  // The numbers of a list separated by spaces.
  template <typename T>
  std::vector<T> Numbers(std::string_view key) const {
    const Line value = Value(key);
    std::vector<T> numbers;
    std::string_view rest = value.text;
    while (true) {
      const size_t start = rest.find_first_not_of(' ');
      if (start == std::string_view::npos) return numbers;
      rest.remove_prefix(start);
      const std::string_view word = rest.substr(0, rest.find(' '));
      rest.remove_prefix(word.size());
      numbers.push_back(Number<T>(key, {word, value.number}));
    }
  }

  template <typename T>
  T Only(std::string_view key) const {
    return Number<T>(key, Value(key));
  }

 private:
  template <typename T>
  T Number(std::string_view key, Line word) const {
    T number{};
    const char* end = word.text.data() + word.text.size();
    const auto result = std::from_chars(word.text.data(), end, number);
    const bool is_tiny = result.ec == std::errc::result_out_of_range;
    if (result.ptr != end || (result.ec != std::errc() && !is_tiny)) {
      Fail(lines_.Place(word.number), fmt::format("{} has \"{}\"", key, word.text));
    }
    if (is_tiny) Fail(lines_.Place(word.number), fmt::format("{} is out of range", word.text));
    return number;
  }

  const Lines& lines_;
  size_t start_;
  std::map<std::string_view, Line> values_;
};

std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words;
  if (text.empty()) return words;
  for (const std::string_view word : almanac::Split(text, ' ')) words.emplace_back(word);
  return words;
}

Model ReadHeader(Lines& lines) {
  if (lines.is_done() || lines.Next().text != "tree") Fail(lines.Here(), "no line \"tree\"");
  const Block block(lines, lines.Next());
  if (block.Value("version").text != "v4") {
    Fail(lines.Place(block.Value("version").number),
         fmt::format("the version {}", block.Value("version").text));
  }
  Model model;
  model.classes = block.Only<int>("num_class");
  if (model.classes < 1 || block.Only<int>("num_tree_per_iteration") != model.classes) {
    Fail(block.place(), "num_class and num_tree_per_iteration must be equal and positive");
  }
  if (block.Has("objective")) {  // else it was the trainer's own
    model.objective = block.Value("objective").text;
    static_cast<void>(OutputTransform(model.objective, static_cast<size_t>(model.classes),
                                      lines.Place(block.Value("objective").number)));
  }
  model.averages_output = block.Has("average_output");
  model.feature_names = WordsOf(block.Value("feature_names").text);
  model.feature_infos = WordsOf(block.Value("feature_infos").text);
  if (block.Has("monotone_constraints")) {
    model.monotone_constraints = block.Numbers<int>("monotone_constraints");
  }
  const int last = block.Only<int>("max_feature_idx");
  if (last < 0 || model.columns() != static_cast<size_t>(last) + 1 ||
      model.feature_infos.size() != model.columns()) {
    Fail(block.place(), fmt::format("max_feature_idx={} with {} names and {} infos", last,
                                    model.columns(), model.feature_infos.size()));
  }
  return model;
}

Tree ReadTree(const Block& block, size_t columns) {
  Tree tree;
  const auto leaves = block.Only<size_t>("num_leaves");
  if (block.Has("is_linear") && block.Only<int>("is_linear") != 0) {
    Fail(block.place(), "linear leaves are not implemented");
  }
  if (leaves > 1) {
    tree.split_feature = block.Numbers<int>("split_feature");
    tree.split_gain = block.Numbers<float>("split_gain");
    tree.threshold = block.Numbers<double>("threshold");
    tree.decision_type = block.Numbers<uint8_t>("decision_type");
    tree.left_child = block.Numbers<int>("left_child");
    tree.right_child = block.Numbers<int>("right_child");
    tree.internal_value = block.Numbers<double>("internal_value");
    tree.internal_weight = block.Numbers<double>("internal_weight");
    tree.internal_count = block.Numbers<int>("internal_count");
  }
  tree.leaf_value = block.Numbers<double>("leaf_value");
  tree.leaf_weight = block.Numbers<double>("leaf_weight");
  tree.leaf_count = block.Numbers<int>("leaf_count");
  // LightGBM leaves these two out of a tree that never split.
  if (leaves == 1 && tree.leaf_weight.empty()) tree.leaf_weight = {0};
  if (leaves == 1 && tree.leaf_count.empty()) tree.leaf_count = {0};
  if (block.Only<size_t>("num_cat") > 0) {
    tree.cat_boundaries = block.Numbers<int>("cat_boundaries");
    tree.cat_threshold = block.Numbers<uint32_t>("cat_threshold");
  }
  if (tree.cat_boundaries.size() != block.Only<size_t>("num_cat") + 1 ||
      tree.leaf_value.size() != leaves) {
    Fail(block.place(), "num_leaves or num_cat does not fit the lists");
  }
  tree.shrinkage = block.Only<double>("shrinkage");
  tree.Validate(columns, block.place());
  return tree;
}

void ReadTrees(Lines& lines, Model& model) {
  while (true) {
    if (lines.is_done()) Fail(lines.Here(), "no line \"end of trees\"");
    const Line line = lines.Next();
    if (line.text.empty()) continue;
    if (line.text == "end of trees") break;
    if (line.text != fmt::format("Tree={}", model.trees.size())) {
      Fail(lines.Here(), fmt::format("expected Tree={}", model.trees.size()));
    }
    model.trees.push_back(ReadTree(Block(lines, line), model.columns()));
  }
  if (model.trees.size() % static_cast<size_t>(model.classes) != 0) {
    Fail(lines.Here(), fmt::format("{} trees for {} classes", model.trees.size(), model.classes));
  }
}

void ReadParameters(Lines& lines, Model& model) {
  bool is_inside = false;
  while (!lines.is_done()) {
    const Line line = lines.Next();
    if (line.text == "end of parameters") return;
    if (is_inside && !line.text.empty()) model.parameters += fmt::format("{}\n", line.text);
    if (line.text == "[saved_feature_importance_type: 1]") model.importance_type = 1;
    is_inside = is_inside || line.text == "parameters:";
  }
}

}  // namespace

Model Model::FromText(std::string_view text, std::string_view name) {
  Lines lines(text, name);
  Model model = ReadHeader(lines);
  ReadTrees(lines, model);
  ReadParameters(lines, model);
  return model;
}

}  // namespace almanac::gbdt
