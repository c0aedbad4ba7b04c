// Text inside HTML and JSON: everything that comes from outside passes through here.
#ifndef ALMANAC_REPORT_MARKUP_H_
#define ALMANAC_REPORT_MARKUP_H_

#include <string>
#include <string_view>

#include "almanac/report/report.h"

namespace almanac {

// For element content and for attributes in double quotes.
std::string Escape(std::string_view text);

// A JSON string with its quotes that may also stand inside a <script> element: '<' is written as an
// escape, so that neither "</script>" nor "<!--" can appear.
std::string JsonString(std::string_view text);

// A number for people: FormatNumber, escaped, with the true minus sign.
std::string NumberMarkup(std::string text);

// Comments and keys of a YAML text in spans of the classes "c" and "k"; everything escaped. Line by
// line and only for the eye: it understands neither multi-line strings nor flow mappings.
std::string YamlMarkup(std::string_view yaml);

// The class of a tone ("good", "bad", "caution", "neutral") and its sign.
std::string_view ToneClass(Tone tone);
std::string_view ToneSign(Tone tone);
// The tone in words, beside `benchmark` if there is one: "better than naive"; empty if neutral.
std::string ToneWords(Tone tone, std::string_view benchmark);

}  // namespace almanac

#endif  // ALMANAC_REPORT_MARKUP_H_
