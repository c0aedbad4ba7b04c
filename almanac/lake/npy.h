// NumPy's .npy files, versions 1.0 and 2.0 (numpy.lib.format): a header that says element type,
// order and shape, then the elements as they lie in memory. Inside lake only.
#ifndef ALMANAC_LAKE_NPY_H_
#define ALMANAC_LAKE_NPY_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

struct NpyHeader {
  std::string descr;  // the element type, such as "<f4"
  bool fortran_order = false;
  std::vector<uint64_t> shape;
  friend bool operator==(const NpyHeader&, const NpyHeader&) = default;
};

// "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }": the dictionary as NumPy writes it.
std::string ToText(const NpyHeader& header);

// Everything before the elements, version 1.0, padded so that they begin at a multiple of 64 bytes.
std::string NpyPreamble(const NpyHeader& header);

struct ParsedNpy {
  NpyHeader header;
  size_t data_at = 0;  // offset of the first element
};
// Reads the preamble of `content`; keys of the dictionary may come in any order. Throws
// std::invalid_argument with what is wrong with it.
ParsedNpy ParseNpy(std::string_view content);

}  // namespace almanac

#endif  // ALMANAC_LAKE_NPY_H_
