#include "almanac/neural/pickle.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <limits>
#include <map>

#include "almanac/base/error.h"

namespace almanac::neural {
namespace {

using Item = PickleItem;

// Opcodes, by the letters that pickletools gives them.
enum Opcode : unsigned char {
  kMark = '(',
  kStop = '.',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kBinFloat = 'G',
  kNone = 'N',
  kBinPersId = 'Q',
  kReduce = 'R',
  kBinUnicode = 'X',
  kEmptyList = ']',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kEmptyTuple = ')',
  kSetItems = 'u',
  kEmptyDict = '}',
  kProto = 0x80,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kShortBinUnicode = 0x8c,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
};

struct TypeName {
  const char* name;
  at::ScalarType type;
};
constexpr TypeName kStorages[] = {
    {"torch.FloatStorage", at::kFloat}, {"torch.DoubleStorage", at::kDouble},
    {"torch.HalfStorage", at::kHalf},   {"torch.BFloat16Storage", at::kBFloat16},
    {"torch.LongStorage", at::kLong},   {"torch.IntStorage", at::kInt},
    {"torch.ShortStorage", at::kShort}, {"torch.CharStorage", at::kChar},
    {"torch.ByteStorage", at::kByte},   {"torch.BoolStorage", at::kBool}};

constexpr size_t kMostDimensions = 16;

[[noreturn]] void Refuse(const std::string& what, const std::string& remedy = "") {
  throw Error(ErrorCode::kBadData, "pickle", what,
              remedy.empty() ? "expected a file that torch.save made of a state dict" : remedy);
}

template <typename Type>
Type& As(PickleValue value, const char* what) {
  Type* held = value == nullptr ? nullptr : std::get_if<Type>(&value->value);
  if (held == nullptr) Refuse(fmt::format("{} is missing", what));
  return *held;
}

std::vector<int64_t> Integers(PickleValue value, const char* what) {
  std::vector<int64_t> numbers;
  for (PickleValue item : As<Item::Sequence>(value, what).items) {
    const int64_t number = As<int64_t>(item, what);
    if (number < 0) Refuse(fmt::format("{} is negative", what));
    numbers.push_back(number);
  }
  if (numbers.size() > kMostDimensions) Refuse(fmt::format("{} has too many dimensions", what));
  return numbers;
}

class Reader {
 public:
  Reader(std::string_view bytes, const LoadStorage& load) : bytes_(bytes), load_(load) {}

  Pickle Read() {
    while (true) {
      const auto code = Take<unsigned char>();
      if (code == kStop) {
        pickle_.root = Pop();
        if (!stack_.empty()) Refuse("ends with more than one value");
        return std::move(pickle_);
      }
      Step(code);
    }
  }

 private:
  template <typename Type>
  PickleValue Make(Type value) {
    return &pickle_.items.emplace_back(Item{std::move(value)});
  }

  void Step(unsigned char code) {
    if (ReadScalar(code) || ReadContainer(code) || ReadMemo(code)) return;
    switch (code) {
      case kProto:
        Take<uint8_t>();
        return;
      case kFrame:
        Take<uint64_t>();
        return;
      case kGlobal: {
        const std::string module = Line();
        Push(Make(Item::Global{module + "." + Line()}));
        return;
      }
      case kStackGlobal: {
        const PickleValue name = Pop(), module = Pop();
        Push(Make(Item::Global{As<std::string>(module, "a class's module") + "." +
                               As<std::string>(name, "a class's name")}));
        return;
      }
      case kBinPersId:
        Push(Storage(Pop()));
        return;
      case kReduce: {
        const PickleValue arguments = Pop(), callee = Pop();
        Push(Call(As<Item::Global>(callee, "a function").name,
                  As<Item::Sequence>(arguments, "a function's arguments").items));
        return;
      }
      case kBuild:  // the attributes of an ordered dictionary: versions of PyTorch's modules
        Pop();
        if (stack_.empty()) Refuse("attributes of nothing");
        return;
      default:
        Refuse(
            fmt::format("byte {}: opcode 0x{:02x} is not one of torch.save's", place_ - 1, code));
    }
  }

  bool ReadScalar(unsigned char code) {
    switch (code) {
      case kNone:
        return Push(Make(std::monostate{}));
      case kNewTrue:
        return Push(Make(true));
      case kNewFalse:
        return Push(Make(false));
      case kBinInt:
        return Push(Make<int64_t>(Take<int32_t>()));
      case kBinInt1:
        return Push(Make<int64_t>(Take<uint8_t>()));
      case kBinInt2:
        return Push(Make<int64_t>(Take<uint16_t>()));
      case kLong1:
        return Push(Make(Long()));
      case kBinFloat:
        return Push(Make(BigEndianDouble()));
      case kBinUnicode:
        return Push(Make(Text(Take<uint32_t>())));
      case kShortBinUnicode:
        return Push(Make(Text(Take<uint8_t>())));
      default:
        return false;
    }
  }

  bool ReadContainer(unsigned char code) {
    switch (code) {
      case kMark:
        marks_.push_back(stack_.size());
        return true;
      case kEmptyTuple:
      case kEmptyList:
        return Push(Make(Item::Sequence{}));
      case kEmptyDict:
        return Push(Make(Item::Dictionary{}));
      case kTuple:
        return Push(Make(Item::Sequence{PopToMark()}));
      case kTuple1:
      case kTuple2:
      case kTuple3:
        return Push(Make(Item::Sequence{PopLast(static_cast<size_t>(code - kTuple1 + 1))}));
      case kAppend:
        return Extend(PopLast(1));
      case kAppends:
        return Extend(PopToMark());
      case kSetItem:
        return SetItems(PopLast(2));
      case kSetItems:
        return SetItems(PopToMark());
      default:
        return false;
    }
  }

  bool ReadMemo(unsigned char code) {
    switch (code) {
      case kBinPut:
        return Remember(Take<uint8_t>());
      case kLongBinPut:
        return Remember(Take<uint32_t>());
      case kMemoize:
        return Remember(static_cast<uint32_t>(memo_.size()));
      case kBinGet:
        return Recall(Take<uint8_t>());
      case kLongBinGet:
        return Recall(Take<uint32_t>());
      default:
        return false;
    }
  }

  bool Push(PickleValue value) {
    stack_.push_back(value);
    return true;
  }
  PickleValue Pop() { return PopLast(1).front(); }
  std::vector<PickleValue> PopLast(size_t count) {
    const size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() < floor + count) Refuse("takes more values than there are");
    std::vector<PickleValue> values(stack_.end() - static_cast<std::ptrdiff_t>(count),
                                    stack_.end());
    stack_.resize(stack_.size() - count);
    return values;
  }
  std::vector<PickleValue> PopToMark() {
    if (marks_.empty()) Refuse("ends a list that was not begun");
    std::vector<PickleValue> values = PopLast(stack_.size() - marks_.back());
    marks_.pop_back();
    return values;
  }
  PickleValue& Top() {
    if (stack_.empty()) Refuse("takes more values than there are");
    return stack_.back();
  }

  bool Extend(const std::vector<PickleValue>& values) {
    auto& items = As<Item::Sequence>(Top(), "a list").items;
    items.insert(items.end(), values.begin(), values.end());
    return true;
  }
  bool SetItems(const std::vector<PickleValue>& values) {
    if (values.size() % 2 != 0) Refuse("a dictionary has a key without a value");
    auto& entries = As<Item::Dictionary>(Top(), "a dictionary").entries;
    for (size_t i = 0; i < values.size(); i += 2) entries.emplace_back(values[i], values[i + 1]);
    return true;
  }
  bool Remember(uint32_t key) {
    memo_[key] = Top();
    return true;
  }
  bool Recall(uint32_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) Refuse(fmt::format("memo {} was not stored", key));
    return Push(found->second);
  }

  template <typename Number>
  Number Take() {
    Number number;
    const std::string_view part = Bytes(sizeof(Number));
    std::memcpy(&number, part.data(), sizeof(Number));
    return number;
  }
  std::string_view Bytes(size_t count) {
    if (bytes_.size() - place_ < count) Refuse("the file ends inside it");
    place_ += count;
    return bytes_.substr(place_ - count, count);
  }
  std::string Text(size_t count) { return std::string(Bytes(count)); }
  std::string Line() {
    const size_t end = bytes_.find('\n', place_);
    if (end == std::string_view::npos) Refuse("the file ends inside it");
    std::string line = Text(end - place_);
    ++place_;
    return line;
  }
  int64_t Long() {
    const auto count = Take<uint8_t>();
    if (count > sizeof(int64_t)) Refuse("an integer has more than 64 bits");
    const std::string_view part = Bytes(count);
    uint64_t bits = 0;
    for (size_t i = part.size(); i-- > 0;) bits = bits << 8 | static_cast<uint8_t>(part[i]);
    const size_t unused = 64 - 8 * part.size();
    if (unused == 64) return 0;
    return static_cast<int64_t>(bits << unused) >> unused;  // two's complement
  }
  double BigEndianDouble() {
    uint64_t bits = 0;
    for (const char byte : Bytes(sizeof(double))) bits = bits << 8 | static_cast<uint8_t>(byte);
    return std::bit_cast<double>(bits);
  }

  // ("storage", type, key, place, count).
  PickleValue Storage(PickleValue id) {
    const auto& parts = As<Item::Sequence>(id, "a storage").items;
    constexpr size_t kParts = 5;
    if (parts.size() != kParts) Refuse("a storage has another form than torch.save's");
    const std::string& name = As<Item::Global>(parts[1], "a storage's type").name;
    for (const TypeName& known : kStorages) {
      if (name != known.name) continue;
      return Make(Item::Storage{load_(As<std::string>(parts[2], "a storage's key"), known.type,
                                      As<int64_t>(parts[4], "a storage's size"))});
    }
    Refuse(fmt::format("{} is a type that is not read", name),
           "save the state dict with floating point numbers");
  }

  PickleValue Call(const std::string& name, const std::vector<PickleValue>& arguments) {
    if (name == "collections.OrderedDict") return Make(Item::Dictionary{});
    if (name == "torch._utils._rebuild_tensor_v2" && arguments.size() >= 4) {
      return Rebuild(arguments);
    }
    if (name == "torch._utils._rebuild_parameter" && !arguments.empty()) return arguments[0];
    Refuse(fmt::format("it holds a {}", name),
           "save the state dict alone: torch.save(model.state_dict(), FILE)");
  }

  // (storage, offset, sizes, strides, ...), within the storage.
  PickleValue Rebuild(const std::vector<PickleValue>& arguments) {
    const at::Tensor& numbers = As<Item::Storage>(arguments[0], "a tensor's storage").numbers;
    const int64_t offset = As<int64_t>(arguments[1], "a tensor's offset");
    const std::vector<int64_t> sizes = Integers(arguments[2], "a tensor's shape");
    const std::vector<int64_t> strides = Integers(arguments[3], "a tensor's strides");
    if (sizes.size() != strides.size()) Refuse("a tensor's shape and strides differ in length");
    const bool is_empty = std::find(sizes.begin(), sizes.end(), 0) != sizes.end();
    if (offset < 0 || offset > numbers.numel()) Refuse("a tensor lies outside its storage");
    // Compared by division: a product of what a file says could overflow.
    int64_t left = numbers.numel() - 1 - offset;
    for (size_t d = 0; d < sizes.size() && !is_empty; ++d) {
      if (left < 0 || (strides[d] > 0 && sizes[d] - 1 > left / strides[d])) {
        Refuse("a tensor is larger than its storage");
      }
      left -= (sizes[d] - 1) * strides[d];
    }
    if (!is_empty && left < 0) Refuse("a tensor lies outside its storage");
    return Make(at::as_strided(numbers, sizes, strides, is_empty ? 0 : offset));
  }

  std::string_view bytes_;
  const LoadStorage& load_;
  size_t place_ = 0;
  Pickle pickle_;
  std::vector<PickleValue> stack_;
  std::vector<size_t> marks_;  // heights of the stack
  std::map<uint32_t, PickleValue> memo_;
};

}  // namespace

Pickle ReadPickle(std::string_view bytes, const LoadStorage& load) {
  return Reader(bytes, load).Read();
}

}  // namespace almanac::neural
