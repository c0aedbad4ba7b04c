// almanac gbdt explain: importance, SHAP summaries and partial dependence of a model.
#ifndef ALMANAC_CLI_GBDT_EXPLAIN_H_
#define ALMANAC_CLI_GBDT_EXPLAIN_H_

#include "almanac/cli/command.h"

namespace almanac {

void AddGbdtExplain(CLI::App& gbdt, Invocation& invocation);

}  // namespace almanac

#endif  // ALMANAC_CLI_GBDT_EXPLAIN_H_
