#include "almanac/neural/tensor_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/json.h"

namespace almanac::neural {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr size_t kLengthBytes = 8;
// Numbers begin at a multiple of this, so that they can be used where they are mapped.
constexpr size_t kAlignment = 8;

struct TypeName {
  at::ScalarType type;
  const char* name;
};
constexpr TypeName kTypes[] = {
    {at::kFloat, "F32"}, {at::kDouble, "F64"}, {at::kLong, "I64"}, {at::kByte, "U8"}};

const char* NameOf(at::ScalarType type) {
  for (const TypeName& known : kTypes) {
    if (known.type == type) return known.name;
  }
  throw Error(ErrorCode::kUsage, "tensor", "has a type that files do not hold",
              "use float, double, int64 or uint8");
}

at::ScalarType TypeOf(const std::string& name) {
  for (const TypeName& known : kTypes) {
    if (name == known.name) return known.type;
  }
  throw Error(ErrorCode::kBadData, name, "is a type that is not read",
              "expected F32, F64, I64 or U8");
}

at::Tensor ReadTensor(const Json& entry, std::string_view numbers) {
  const std::vector<int64_t> shape = entry.at("shape").get<std::vector<int64_t>>();
  const auto begin = entry.at("data_offsets").at(0).get<size_t>();
  const auto end = entry.at("data_offsets").at(1).get<size_t>();
  const at::ScalarType type = TypeOf(entry.at("dtype").get<std::string>());
  size_t bytes = c10::elementSize(type);
  for (const int64_t extent : shape) {
    if (extent < 0 || static_cast<size_t>(extent) > numbers.size()) {
      throw Error(ErrorCode::kBadData, "shape", "is larger than the file", "");
    }
    bytes *= static_cast<size_t>(extent);
  }
  if (begin > end || end > numbers.size() || end - begin != bytes) {
    throw Error(ErrorCode::kBadData, "data_offsets", "do not fit the shape and the file", "");
  }
  at::Tensor tensor = at::empty(shape, type);
  if (bytes > 0) std::memcpy(tensor.data_ptr(), numbers.data() + begin, bytes);
  return tensor;
}

NamedTensors Parse(std::string_view text) {
  uint64_t length = 0;
  if (text.size() < kLengthBytes) {
    throw Error(ErrorCode::kBadData, "header", "the file ends inside it", "");
  }
  std::memcpy(&length, text.data(), kLengthBytes);
  text.remove_prefix(kLengthBytes);
  if (length > text.size()) {
    throw Error(ErrorCode::kBadData, "header", "the file ends inside it", "");
  }
  // Ordered: the file's order is the network's.
  const Json header = Json::parse(text.substr(0, length));
  text.remove_prefix(length);
  NamedTensors tensors;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    try {
      tensors.emplace_back(name, ReadTensor(entry, text));
    } catch (const Error& error) {
      throw error.Within(name);
    }
  }
  return tensors;
}

}  // namespace

void SaveTensors(const NamedTensors& tensors, const std::filesystem::path& file) {
  Json header = Json::object();
  std::vector<at::Tensor> stored;
  size_t place = 0;
  for (const auto& [name, tensor] : tensors) {
    stored.push_back(tensor.detach().contiguous());
    const size_t bytes = stored.back().nbytes();
    header[name] = {{"dtype", NameOf(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {place, place + bytes}}};
    place += bytes;
  }
  std::string text = header.dump();
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  const uint64_t length = text.size();
  std::string content(kLengthBytes, '\0');
  std::memcpy(content.data(), &length, kLengthBytes);
  content += text;
  for (const at::Tensor& tensor : stored) {
    content.append(static_cast<const char*>(tensor.data_ptr()), tensor.nbytes());
  }
  WriteFileAtomic(file, content);
}

NamedTensors LoadTensors(const std::filesystem::path& file) {
  const std::string text = ReadFile(file);
  try {
    return Parse(text);
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadData, file.string(), error.what(), "expected a safetensors file");
  } catch (const Error& error) {
    throw Error(ErrorCode::kBadData, file.string() + ": " + error.where(), error.problem(),
                "expected a safetensors file");
  }
}

}  // namespace almanac::neural
