// The files under templates/, embedded when the program is built (cmake/Embed.cmake).
#pragma once

#include <string_view>

namespace shoal::templates {

extern std::string_view const environment, environment_test, experiment;

}  // namespace shoal::templates
