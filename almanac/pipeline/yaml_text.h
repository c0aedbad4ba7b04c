// JSON documents as YAML text for people: block style, short leaves on one line.
#ifndef ALMANAC_PIPELINE_YAML_TEXT_H_
#define ALMANAC_PIPELINE_YAML_TEXT_H_

#include <string>

#include "almanac/base/json.h"

namespace almanac {

// Reading the text as YAML gives the same document.
std::string ToYamlText(const Json& document);

}  // namespace almanac

#endif  // ALMANAC_PIPELINE_YAML_TEXT_H_
