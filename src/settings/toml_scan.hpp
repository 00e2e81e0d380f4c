// A pass over TOML text ahead of toml++'s. It finds what is nested too deep and what is given twice, and takes all that
// is valid; text that is not is left to toml++, which stops where this does or before.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace shoal {

struct TomlScan {
  struct Excess {
    std::int64_t line;
    std::string problem;
  };
  struct Twice {
    std::string name;  // "train.stages", "[train]"
    std::int64_t line, first_line;
  };

  std::optional<Excess> excess = {};
  std::optional<Twice> twice = {};  // the first name that is
};

TomlScan scan_toml(std::string_view text);

}  // namespace shoal
