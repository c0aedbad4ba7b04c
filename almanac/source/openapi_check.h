// For the tests of the vendors' clients: checks a request against the vendor's own OpenAPI 3.0
// description. Understood are paths with {parameters}, parameters in path, query and header,
// $ref, required, enum, type, minimum, maximum, pattern, the formats date and date-time, and API
// keys.
#ifndef ALMANAC_SOURCE_OPENAPI_CHECK_H_
#define ALMANAC_SOURCE_OPENAPI_CHECK_H_

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/source/vendor_test_server.h"

namespace almanac {

class ApiDescription {
 public:
  // A file of ../shared/data/api; nothing if it is absent. Of a YAML file (a megabyte, slow to
  // parse) only `yaml_path` and the parameters are read.
  static std::optional<ApiDescription> Load(const std::string& file,
                                            const std::string& yaml_path = "");
  explicit ApiDescription(const Json& document);

  // What is wrong with the request; empty if nothing. `also_known`: query parameters that the
  // description gives elsewhere than in its list, such as a cursor in an example.
  std::vector<std::string> Check(const TestRequest& request,
                                 const std::set<std::string>& also_known = {}) const;

 private:
  const Json& Resolve(const Json& node) const;
  std::optional<std::string> FindPath(const std::string& path) const;
  void CheckValue(const std::string& name, const std::string& value, const Json& schema,
                  std::vector<std::string>& problems) const;
  void CheckKeys(const TestRequest& request, const Json& operation, std::set<std::string>& known,
                 std::vector<std::string>& problems) const;

  std::shared_ptr<const Json> document_;
};

// Fails the test for every request that the description does not allow.
void ExpectAllowed(const std::optional<ApiDescription>& description,
                   const std::vector<TestRequest>& requests,
                   const std::set<std::string>& also_known = {});

}  // namespace almanac

#endif  // ALMANAC_SOURCE_OPENAPI_CHECK_H_
