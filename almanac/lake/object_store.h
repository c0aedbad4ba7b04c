// A store of named, immutable blobs: what the lake lies in. A local folder here; the interface asks
// for nothing that S3 cannot do (no append, no rename of folders, no change of a part).
//
// A key is parts separated by '/', such as "candles/market=x/symbol=y/2024.parquet"; no part is
// empty, "." or "..". Wrong keys are Error(kFailed); what the store refuses is Error(kFailed) with
// its path.
#ifndef ALMANAC_LAKE_OBJECT_STORE_H_
#define ALMANAC_LAKE_OBJECT_STORE_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

struct ObjectInfo {
  std::string key;
  int64_t size = 0;  // bytes
  friend bool operator==(const ObjectInfo&, const ObjectInfo&) = default;
};

// What PutFiles puts: the content of a local file, under a key.
struct LocalFile {
  std::string key;
  std::filesystem::path file;
};

struct KeyChange {
  std::string from, to;
};

// One version of an object, readable for as long as this lives, whatever happens to its key.
class PinnedObject {
 public:
  virtual ~PinnedObject() = default;
  // A path that this process can open; not the object's own name.
  virtual std::filesystem::path path() const = 0;
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // The content. Error(kFailed) if there is no such object.
  virtual std::string Get(const std::string& key) const = 0;
  // Null if there is no such object.
  virtual std::unique_ptr<PinnedObject> Pin(const std::string& key) const = 0;
  // Replaces the whole object; a reader sees the old content or the new one. When it returns, the
  // object survives a power cut.
  virtual void Put(const std::string& key, std::string_view content) = 0;
  // The same with the content of a local file, which is used up (moved where that is possible).
  virtual void PutFile(const std::string& key, const std::filesystem::path& file) = 0;
  // Gives `to` the content of `from` and deletes `from`. Readers of `to` see the old content or the
  // new one; a process killed inside may leave `from` where it was. Repeating it finishes the work.
  virtual void Move(const std::string& from, const std::string& to) = 0;
  // As PutFile and Move of each, in this order; a store may wait for its disk once for all of them.
  virtual void PutFiles(const std::vector<LocalFile>& files);
  virtual void MoveAll(const std::vector<KeyChange>& changes);
  // Nothing happens if there is no such object.
  virtual void Delete(const std::string& key) = 0;
  // Nothing if there is no such object.
  virtual std::optional<int64_t> Size(const std::string& key) const = 0;
  bool Exists(const std::string& key) const { return Size(key).has_value(); }
  // All objects whose key begins with `prefix`, sorted by key. What is being written is not listed.
  virtual std::vector<ObjectInfo> List(const std::string& prefix) const = 0;
  // Where the object lies, or would lie, on this machine; nothing for a store that is elsewhere.
  virtual std::optional<std::filesystem::path> LocalPath(const std::string& key) const = 0;
};

// Objects as files below `root`, written aside and renamed into place. Nothing is made before the
// first Put. Names that end in ".tmp" are writes under way and no objects. A descriptor is held for
// each PinnedObject.
std::shared_ptr<ObjectStore> MakeLocalObjectStore(std::filesystem::path root);

}  // namespace almanac

#endif  // ALMANAC_LAKE_OBJECT_STORE_H_
