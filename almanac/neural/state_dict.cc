#include "almanac/neural/state_dict.h"

#include <caffe2/serialize/inline_container.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>

#include "almanac/base/config.h"
#include "almanac/base/error.h"
#include "almanac/neural/export_graph.h"
#include "almanac/neural/pickle.h"
#include "almanac/neural/tensor_file.h"

namespace almanac::neural {
namespace fs = std::filesystem;
namespace {

using caffe2::serialize::PyTorchStreamReader;

constexpr const char* kRemedy = "expected what torch.save(model.state_dict(), FILE) writes";
constexpr size_t kMostNamed = 5;  // tensors of one error

std::string FirstBytes(const fs::path& file) {
  constexpr size_t kCount = 4;
  std::ifstream stream(file, std::ios::binary);
  std::string bytes(kCount, '\0');
  stream.read(bytes.data(), kCount);
  if (!stream) {
    throw Error(ErrorCode::kBadData, file.string(), "is no file, or is empty", kRemedy);
  }
  return bytes;
}

// The numbers of the archive's record for a storage.
at::Tensor StorageOf(PyTorchStreamReader& archive, const std::string& key, at::ScalarType type,
                     int64_t count) {
  const std::string record = "data/" + key;
  if (!archive.hasRecord(record)) {
    throw Error(ErrorCode::kBadData, record, "is not in the archive", kRemedy);
  }
  const auto [bytes, size] = archive.getRecord(record);
  const size_t width = c10::elementSize(type);
  if (count < 0 || size % width != 0 || size / width != static_cast<size_t>(count)) {
    throw Error(ErrorCode::kBadData, record,
                fmt::format("has {} bytes instead of {} numbers of {}", size, count, width),
                kRemedy);
  }
  at::Tensor numbers = at::empty({count}, type);
  if (size > 0) std::memcpy(numbers.data_ptr(), bytes.get(), size);
  return numbers;
}

std::string RecordOf(PyTorchStreamReader& archive, const char* name) {
  const auto [bytes, size] = archive.getRecord(name);
  return {static_cast<const char*>(bytes.get()), size};
}

const PickleItem::Dictionary* DictionaryIn(PickleValue value) {
  return value == nullptr ? nullptr : std::get_if<PickleItem::Dictionary>(&value->value);
}

const std::string* KeyOf(const std::pair<PickleValue, PickleValue>& entry) {
  return std::get_if<std::string>(&entry.first->value);
}

// The dictionary itself if all of it are tensors, or the one in it that is called a state dict.
const PickleItem::Dictionary* FindStateDict(const PickleItem::Dictionary& whole) {
  const auto is_tensor = [](const auto& entry) {
    return KeyOf(entry) != nullptr && std::holds_alternative<at::Tensor>(entry.second->value);
  };
  if (std::all_of(whole.entries.begin(), whole.entries.end(), is_tensor)) return &whole;
  for (const char* name : {"state_dict", "model_state_dict", "model"}) {
    for (const auto& entry : whole.entries) {
      const std::string* key = KeyOf(entry);
      if (key == nullptr || *key != name) continue;
      const PickleItem::Dictionary* inner = DictionaryIn(entry.second);
      if (inner != nullptr &&
          std::all_of(inner->entries.begin(), inner->entries.end(), is_tensor)) {
        return inner;
      }
    }
  }
  return nullptr;
}

NamedTensors ReadArchive(const fs::path& file) {
  PyTorchStreamReader archive(file.string());
  if (archive.hasRecord("constants.pkl")) {
    throw Error(ErrorCode::kBadData, "archive", "is a TorchScript module",
                "in Python: torch.save(torch.jit.load(FILE).state_dict(), OTHER)");
  }
  if (!archive.hasRecord("data.pkl")) {
    throw Error(ErrorCode::kBadData, "archive", "has no data.pkl", kRemedy);
  }
  if (archive.hasRecord("byteorder") && RecordOf(archive, "byteorder") != "little") {
    throw Error(ErrorCode::kBadData, "archive", "is big-endian", "save it on another machine");
  }
  std::map<std::string, at::Tensor> storages;
  const LoadStorage load = [&](const std::string& key, at::ScalarType type, int64_t count) {
    at::Tensor& storage = storages[key];
    if (!storage.defined()) storage = StorageOf(archive, key, type, count);
    return storage;
  };
  const Pickle whole = ReadPickle(RecordOf(archive, "data.pkl"), load);
  const PickleItem::Dictionary* dictionary = DictionaryIn(whole.root);
  const PickleItem::Dictionary* state = dictionary ? FindStateDict(*dictionary) : nullptr;
  if (state == nullptr) {
    throw Error(ErrorCode::kBadData, "archive", "holds no dictionary of tensors by name", kRemedy);
  }
  NamedTensors tensors;
  for (const auto& entry : state->entries) {
    tensors.emplace_back(*KeyOf(entry), std::get<at::Tensor>(entry.second->value));
  }
  return tensors;
}

bool RemovePrefix(std::string* name, std::string_view prefix) {
  if (!name->starts_with(prefix)) return false;
  name->erase(0, prefix.size());
  return true;
}

std::string Renamed(std::string name, const Renames& renames) {
  for (const auto& [from, to] : renames) {
    if (RemovePrefix(&name, from)) return to + name;
  }
  return name;
}

// Whether all names but the counts' begin so.
bool AllBegin(const NamedTensors& tensors, std::string_view prefix) {
  return !tensors.empty() && std::all_of(tensors.begin(), tensors.end(), [&](const auto& tensor) {
    return tensor.first.starts_with(prefix);
  });
}

NamedTensors WithOurNames(const NamedTensors& state, const Renames& renames) {
  NamedTensors tensors;
  for (const auto& [name, tensor] : state) {
    // Momentum is fixed here; scalers do not come from a state dict.
    if (name.ends_with(".num_batches_tracked") || std::ranges::count(kExportedConstants, name)) {
      continue;
    }
    tensors.emplace_back(Renamed(name, renames), tensor);
  }
  for (bool removed = true; removed;) {
    removed = false;
    for (const char* wrapper : {"module.", "_orig_mod.", "model."}) {
      if (!AllBegin(tensors, wrapper)) continue;
      for (auto& tensor : tensors) RemovePrefix(&tensor.first, wrapper);
      removed = true;
    }
  }
  for (auto& [name, tensor] : tensors) {
    RemovePrefix(&name, "head.");
    if (RemovePrefix(&name, "forward_.")) name = "forward." + name;
  }
  return tensors;
}

std::string ShapeText(const at::Tensor& tensor) {
  return fmt::format("[{}]", fmt::join(tensor.sizes(), ", "));
}

// "a; b; c and 7 more"
std::string Listed(const std::vector<std::string>& all) {
  const size_t shown = std::min(all.size(), kMostNamed);
  const std::vector<std::string> first(all.begin(),
                                       all.begin() + static_cast<std::ptrdiff_t>(shown));
  std::string text = fmt::format("{}", fmt::join(first, ", "));
  if (all.size() > shown) text += fmt::format(" and {} more", all.size() - shown);
  return text;
}

std::vector<std::string> NamesOf(const NamedTensors& tensors) {
  std::vector<std::string> names;
  for (const auto& tensor : tensors) names.push_back(tensor.first);
  return names;
}

// What keeps a state dict from being the wanted weights.
struct Differences {
  std::vector<std::string> missing, shapes, not_finite, left_over;
  void RefuseAny() const {
    std::vector<std::string> parts;
    if (!missing.empty()) parts.push_back("missing: " + Listed(missing));
    if (!shapes.empty()) parts.push_back("of another shape: " + Listed(shapes));
    if (!not_finite.empty())
      parts.push_back("with numbers that are not finite: " + Listed(not_finite));
    if (!left_over.empty()) parts.push_back("left over: " + Listed(left_over));
    if (parts.empty()) return;
    throw Error(ErrorCode::kBadData, "state dict",
                fmt::format("does not fit the network: {}", fmt::join(parts, "; ")),
                "give the state dict of this architecture and these sizes, or rename what has "
                "other names");
  }
};

}  // namespace

NamedTensors LoadStateDict(const fs::path& file) {
  const std::string first = FirstBytes(file);
  try {
    if (first == "PK\x03\x04") return ReadArchive(file);
    if (first.starts_with("\x80\x02")) {
      throw Error(ErrorCode::kBadData, "archive", "has the format of before PyTorch 1.6",
                  "in Python: torch.save(torch.load(FILE), OTHER)");
    }
  } catch (const Error& error) {
    throw error.Within(file.string());
  } catch (const c10::Error& error) {
    throw Error(ErrorCode::kBadData, file.string(),
                std::string("is damaged: ") + error.what_without_backtrace(), kRemedy);
  }
  return LoadTensors(file);
}

NamedTensors MatchStateDict(const NamedTensors& state, const NamedTensors& wanted,
                            const Renames& renames) {
  const NamedTensors ours = WithOurNames(state, renames);
  std::map<std::string, at::Tensor> by_name;
  for (const auto& [name, tensor] : ours) {
    if (by_name.emplace(name, tensor).second) continue;
    throw Error(ErrorCode::kBadData, name, "two tensors of the state dict get this name",
                "rename one of them");
  }
  const std::vector<std::string> wanted_names = NamesOf(wanted);
  NamedTensors matched;
  Differences differences;
  for (const auto& [name, tensor] : wanted) {
    const auto found = by_name.find(name);
    if (found == by_name.end()) {
      differences.missing.push_back(fmt::format("{} {}", name, ShapeText(tensor)));
      continue;
    }
    if (found->second.sizes() != tensor.sizes()) {
      differences.shapes.push_back(
          fmt::format("{} {} instead of {}", name, ShapeText(found->second), ShapeText(tensor)));
    } else {
      matched.emplace_back(name, found->second.to(at::kFloat).contiguous().clone());
      if (!at::isfinite(matched.back().second).all().item<bool>()) {
        differences.not_finite.push_back(name);
      }
    }
    by_name.erase(found);
  }
  for (const auto& [name, tensor] : by_name) {
    const auto near = NearestWord(name, wanted_names);
    differences.left_over.push_back(near ? fmt::format("{} (did you mean {}?)", name, *near)
                                         : name);
  }
  differences.RefuseAny();
  return matched;
}

}  // namespace almanac::neural
