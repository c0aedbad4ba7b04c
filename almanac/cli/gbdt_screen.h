// almanac gbdt screen: which columns are worth training on, over a grid of swing targets.
#ifndef ALMANAC_CLI_GBDT_SCREEN_H_
#define ALMANAC_CLI_GBDT_SCREEN_H_

#include "almanac/cli/command.h"

namespace almanac {

void AddGbdtScreen(CLI::App& gbdt, Invocation& invocation);

}  // namespace almanac

#endif  // ALMANAC_CLI_GBDT_SCREEN_H_
