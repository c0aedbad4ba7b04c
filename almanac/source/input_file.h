// Reads a file from its beginning to its end in blocks, unpacking gzip and zstd on the way. What a
// file is, is told by its first bytes and not by its name. Several gzip members or zstd frames one
// after another are one content.
#ifndef ALMANAC_SOURCE_INPUT_FILE_H_
#define ALMANAC_SOURCE_INPUT_FILE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

namespace almanac {

class InputFile {
 public:
  // Throws Error(kFailed) if the file cannot be opened, Error(kBadData) if it is a zip archive or
  // another packing that is not read.
  explicit InputFile(const std::filesystem::path& path);
  ~InputFile();
  InputFile(InputFile&&) noexcept;
  InputFile& operator=(InputFile&&) noexcept;

  // Puts the next bytes of the content, up to `size`, into `out`; gives 0 only at its end. Throws
  // Error(kBadData) where packed data is damaged or ends too early: what was good before that point
  // comes out of the calls before. After a throw the object is used up.
  size_t Read(char* out, size_t size);

  // The size of the file as it lies, and how much of that was read.
  int64_t packed_bytes() const;
  int64_t packed_position() const;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace almanac

#endif  // ALMANAC_SOURCE_INPUT_FILE_H_
