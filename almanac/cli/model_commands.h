// Parts that the commands of models share.
#ifndef ALMANAC_CLI_MODEL_COMMANDS_H_
#define ALMANAC_CLI_MODEL_COMMANDS_H_

#include "almanac/cli/command.h"

namespace almanac {

// export and import.
void AddNetworkFileCommands(CLI::App& models, Invocation& invocation);

}  // namespace almanac

#endif  // ALMANAC_CLI_MODEL_COMMANDS_H_
