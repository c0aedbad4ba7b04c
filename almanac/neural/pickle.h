// What torch.save puts into its file beside the tensors' numbers: Python's pickle, protocol 2 and
// later, read without running anything. Of Python's classes only those of tensors and of ordered
// dictionaries are known; a pickle with any other is refused by its name.
//
// Format: the opcodes of Python's Lib/pickletools.py.
#ifndef ALMANAC_NEURAL_PICKLE_H_
#define ALMANAC_NEURAL_PICKLE_H_

#include <ATen/ATen.h>

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace almanac::neural {

struct PickleItem;
using PickleValue = PickleItem*;  // owned by the Pickle

struct PickleItem {
  struct Sequence {
    std::vector<PickleValue> items;  // a list or a tuple
  };
  struct Dictionary {
    std::vector<std::pair<PickleValue, PickleValue>> entries;
  };
  struct Global {
    std::string name;  // "module.name"
  };
  // One dimension, all that the file has under one key.
  struct Storage {
    at::Tensor numbers;
  };
  std::variant<std::monostate, bool, int64_t, double, std::string, Sequence, Dictionary, Global,
               Storage, at::Tensor>
      value;
};

struct Pickle {
  // All of them, so that values which hold each other, or lie deep, cost nothing when they go.
  std::deque<PickleItem> items;
  PickleValue root = nullptr;
};

// `load`: the numbers of the storage with this key, as many as `count` of this type; throws Error
// if there are none such. Throws Error(kBadData) with the place in the pickle.
using LoadStorage =
    std::function<at::Tensor(const std::string& key, at::ScalarType type, int64_t count)>;
Pickle ReadPickle(std::string_view bytes, const LoadStorage& load);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_PICKLE_H_
