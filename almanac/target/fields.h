// One list of a target's fields serves its configuration, its JSON and its checks: a spec names
// every field once in VisitFields(FieldVisitor&).
#ifndef ALMANAC_TARGET_FIELDS_H_
#define ALMANAC_TARGET_FIELDS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/config.h"
#include "almanac/base/json.h"

namespace almanac {

inline constexpr int64_t kLongestHorizon = 1'000'000;  // bars

class FieldVisitor {
 public:
  virtual ~FieldVisitor() = default;
  // Closed ranges. What the field holds is the default where configuration does not name it.
  virtual void Int(const char* key, int64_t* field, int64_t low, int64_t high) = 0;
  virtual void Double(const char* key, double* field, double low, double high) = 0;
  virtual void Bool(const char* key, bool* field) = 0;
  // `field` is an index into `names`.
  virtual void Choice(const char* key, size_t* field, const std::vector<std::string>& names) = 0;

  template <typename Enum>
  void Enumerated(const char* key, Enum* field, const std::vector<std::string>& names) {
    auto index = static_cast<size_t>(*field);
    Choice(key, &index, names);
    *field = static_cast<Enum>(index);
  }
};

class ConfigReader final : public FieldVisitor {
 public:
  explicit ConfigReader(const ConfigNode& node) : node_(node) {}
  void Int(const char* key, int64_t* field, int64_t low, int64_t high) override;
  void Double(const char* key, double* field, double low, double high) override;
  void Bool(const char* key, bool* field) override;
  void Choice(const char* key, size_t* field, const std::vector<std::string>& names) override;

 private:
  const ConfigNode& node_;
};

// Every field must be there; ranges are left to FieldChecker.
class JsonReader final : public FieldVisitor {
 public:
  explicit JsonReader(const Json& json) : json_(json) {}
  void Int(const char* key, int64_t* field, int64_t low, int64_t high) override;
  void Double(const char* key, double* field, double low, double high) override;
  void Bool(const char* key, bool* field) override;
  void Choice(const char* key, size_t* field, const std::vector<std::string>& names) override;

 private:
  const Json& json_;
};

class JsonWriter final : public FieldVisitor {
 public:
  explicit JsonWriter(Json* json) : json_(*json) {}
  void Int(const char* key, int64_t* field, int64_t low, int64_t high) override;
  void Double(const char* key, double* field, double low, double high) override;
  void Bool(const char* key, bool* field) override;
  void Choice(const char* key, size_t* field, const std::vector<std::string>& names) override;

 private:
  Json& json_;
};

// Throws Error(kUsage) "target KIND: key is ...; it must be in ...".
class FieldChecker final : public FieldVisitor {
 public:
  explicit FieldChecker(std::string_view kind) : kind_(kind) {}
  void Int(const char* key, int64_t* field, int64_t low, int64_t high) override;
  void Double(const char* key, double* field, double low, double high) override;
  void Bool(const char* /*key*/, bool* /*field*/) override {}
  void Choice(const char* key, size_t* field, const std::vector<std::string>& names) override;

 private:
  std::string kind_;
};

// `spec` with all fields in range, else Error(kUsage).
template <typename Spec>
void CheckFields(const Spec& spec) {
  Spec copy = spec;
  FieldChecker checker(Spec::kKind);
  copy.VisitFields(checker);
}

}  // namespace almanac

#endif  // ALMANAC_TARGET_FIELDS_H_
