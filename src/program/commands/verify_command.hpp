// `shoal verify`: tells whether an environment keeps what the contract asks of it.
#pragma once

#include <string>
#include <vector>

#include "shoal/env/verify.hpp"

namespace shoal {

struct VerifyCommand {
  std::string environment;
  std::vector<std::string> params;  // "key=value"
};

/// Prints a line for each property of the subject as it is examined. @return how many do not hold
int report_properties(std::string const& name, Subject const& subject);

/// @return the exit code: 1 if a property does not hold
int verify(VerifyCommand const& command);

}  // namespace shoal
