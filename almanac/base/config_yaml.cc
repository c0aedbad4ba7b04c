#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "almanac/base/config_tree.h"

namespace almanac {
namespace {

// Aliases of aliases grow exponentially; no sensible configuration comes near this.
constexpr size_t kMaxNodes = 100'000;

constexpr int kMostEmptyDocuments = 8;

using Kind = ConfigTree::Kind;
using Origin = std::shared_ptr<const ConfigOrigin>;

[[noreturn]] void Fail(const ConfigSpot& spot, std::string what, std::string remedy = "") {
  throw Error(ErrorCode::kUsage, spot.Describe(""), std::move(what), std::move(remedy));
}

size_t CountNodes(const ConfigTree& tree) {
  size_t count = 1;
  for (const ConfigTree& item : tree.items) count += CountNodes(item);
  for (const ConfigEntry& entry : tree.entries) count += CountNodes(entry.value);
  return count;
}

// Builds the tree from the parser's events. yaml-cpp's own node graph would keep duplicate keys
// silently, forget which scalars were quoted, and be a cycle where an alias stands in its anchor.
class Builder : public YAML::EventHandler {
 public:
  Builder(Origin origin, int last_line) : origin_(std::move(origin)), last_line_(last_line) {}

  ConfigTree Take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Add(Make(Kind::kNull, mark), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      Fail(SpotOf(mark), "an alias refers to the value that it is part of", "write the value out");
    }
    nodes_ += CountNodes(found->second);
    CheckSize(mark);
    Add(found->second, 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    ConfigTree scalar = Make(Kind::kScalar, mark);
    scalar.text = value;
    scalar.quoted = tag == "!" || tag == "tag:yaml.org,2002:str";
    if (!scalar.quoted) RefuseTag(mark, tag);
    Add(std::move(scalar), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    RefuseTag(mark, tag);
    open_.push_back({Make(Kind::kList, mark), anchor, std::nullopt});
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    RefuseTag(mark, tag);
    open_.push_back({Make(Kind::kMap, mark), anchor, std::nullopt});
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Open {  // a list or mapping whose end has not come
    ConfigTree tree;
    YAML::anchor_t anchor;
    std::optional<ConfigTree> key;  // read, its value still to come
  };

  ConfigSpot SpotOf(const YAML::Mark& mark) const {
    return {origin_, origin_->is_set ? 0 : std::min(mark.line + 1, last_line_)};
  }

  ConfigTree Make(Kind kind, const YAML::Mark& mark) {
    ++nodes_;
    CheckSize(mark);
    ConfigTree tree;
    tree.kind = kind;
    tree.spot = SpotOf(mark);
    return tree;
  }

  void CheckSize(const YAML::Mark& mark) const {
    if (nodes_ > kMaxNodes) {
      Fail(SpotOf(mark), fmt::format("the document has more than {} values", kMaxNodes),
           "aliases count as often as they are used");
    }
  }

  void RefuseTag(const YAML::Mark& mark, const std::string& tag) const {
    if (tag.empty() || tag == "?" || tag == "!") return;
    Fail(SpotOf(mark), fmt::format("has the YAML tag {}", QuoteForError(tag)),
         "tags other than !!str are not supported");
  }

  void Close() {
    Open closed = std::move(open_.back());
    open_.pop_back();
    Add(std::move(closed.tree), closed.anchor);
  }

  void Add(ConfigTree tree, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = tree;
    if (open_.empty()) {
      root_ = std::move(tree);
    } else if (open_.back().tree.kind == Kind::kList) {
      open_.back().tree.items.push_back(std::move(tree));
    } else if (!open_.back().key) {
      open_.back().key = CheckedKey(std::move(tree));
    } else {
      ConfigTree key = *std::exchange(open_.back().key, std::nullopt);
      open_.back().tree.entries.push_back({std::move(key.text), key.spot, std::move(tree)});
    }
  }

  ConfigTree CheckedKey(ConfigTree key) {
    if (key.kind != Kind::kScalar) Fail(key.spot, "a key " + key.Found(), "a key is one word");
    if (key.text == "<<" && !key.quoted) {
      Fail(key.spot, "YAML merge keys (<<) are not supported",
           "write the keys out, or lay an overlay over this file");
    }
    const ConfigEntry* first = open_.back().tree.Find(key.text);
    if (first != nullptr) {
      Fail(key.spot, fmt::format("the key {} is given twice", QuoteForError(key.text)),
           fmt::format("it is first given at {}", first->spot.Describe("")));
    }
    return key;
  }

  Origin origin_;
  int last_line_;  // of the user's text
  ConfigTree root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, ConfigTree> anchors_;
  size_t nodes_ = 0;
};

// How many bytes the UTF-8 character at the front has, or 0 if it is none.
size_t CharacterLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return 1;
  const size_t length = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
  if (byte(0) < 0xC2 || byte(0) > 0xF4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what lies above U+10FFFF.
  if (byte(0) == 0xE0 && byte(1) < 0xA0) return 0;
  if (byte(0) == 0xED && byte(1) > 0x9F) return 0;
  if (byte(0) == 0xF0 && byte(1) < 0x90) return 0;
  if (byte(0) == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

// yaml-cpp ends silently at byte 4, and guesses at text that is not UTF-8.
void CheckCharacters(std::string_view text, const Origin& origin) {
  ConfigSpot spot{origin, origin->is_set ? 0 : 1};
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text.front());
    const bool blank = first == '\t' || first == '\n' || first == '\r';
    if ((first < ' ' && !blank) || first == 0x7F) {
      Fail(spot, fmt::format("has the control character {:#04x}", first), "YAML is text");
    }
    const size_t length = CharacterLength(text);
    if (length == 0) Fail(spot, "is not UTF-8 text", "save the file as UTF-8");
    if (first == '\n' && !origin->is_set) ++spot.line;
    text.remove_prefix(length);
  }
}

}  // namespace

ConfigTree ParseConfigYaml(std::string_view yaml,
                           const std::shared_ptr<const ConfigOrigin>& origin) {
  CheckCharacters(yaml, origin);
  // yaml-cpp takes a quotation that the end of the file cuts off for a whole one; a document's end
  // inside it, it refuses.
  std::string text(yaml);
  if (!text.ends_with('\n')) text += '\n';
  const auto last_line = static_cast<int>(std::count(text.begin(), text.end(), '\n'));
  std::istringstream stream(text + "...\n");
  try {
    YAML::Parser parser(stream);
    ConfigTree tree;
    tree.spot = {origin, 0};
    Builder first(origin, last_line);
    if (!parser.HandleNextDocument(first)) return tree;
    tree = first.Take();
    int empty_documents = 0;
    for (Builder next(origin, last_line); parser.HandleNextDocument(next);
         next = Builder(origin, last_line)) {
      const ConfigTree more = next.Take();
      // Nothing between two document marks. At a stray bracket the parser gives such documents for
      // ever without reading on.
      if (more.kind == Kind::kNull && ++empty_documents <= kMostEmptyDocuments) continue;
      if (more.kind == Kind::kNull) Fail(more.spot, "is not valid YAML: this cannot stand here");
      Fail(more.spot, "a second YAML document begins",
           "one document is read; check the indentation");
    }
    return tree;
  } catch (const YAML::Exception& error) {
    const bool at_end = !error.mark.is_null() && error.mark.line >= last_line;
    const bool has_line = !origin->is_set && !error.mark.is_null();
    const int line = has_line ? std::min(error.mark.line + 1, last_line) : 0;
    Fail({origin, line}, at_end ? "is not valid YAML: it ends inside a quotation or a bracket"
                                : "is not valid YAML: " + error.msg);
  }
}

}  // namespace almanac
