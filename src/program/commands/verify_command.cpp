#include "program/commands/verify_command.hpp"

#include <fmt/format.h>

#include "program/config/config.hpp"
#include "program/runs/console.hpp"
#include "shoal/core/text.hpp"

namespace shoal {

namespace {

void print_finding(Property const& property, Finding const& finding) {
  if (finding.holds)
    fmt::print("ok      {}{}\n", property.meaning, finding.text.empty() ? "" : fmt::format(" ({})", finding.text));
  else
    fmt::print("FAILED  expected: {}\n{:24}{}\n", property.meaning, "", printable(finding.text));
}

Subject subject_of(VerifyCommand const& command) try {
  return subject(command.environment, parse_assignments(command.params));
} catch (SettingError const& error) {
  throw InputError((error.key == "name" ? "verify: environment" : "--set " + error.key) + error.message);
}

}  // namespace

int report_properties(std::string const& name, Subject const& subject) {
  int failed = 0;
  for (auto const& property : properties()) {
    fmt::print("{:<16}", property.name);
    finish_output();  // if the environment crashes, it is seen in what
    auto const finding = examine(property, subject);
    print_finding(property, finding);
    failed += !finding.holds;
    if (failed > 0 && &property == &properties().front()) {
      fmt::print("{}: the other {} properties were not examined, they need a spec that holds\n", name,
                 properties().size() - 1);
      return failed;
    }
  }
  if (failed == 0)
    fmt::print("{}: all {} properties hold\n", name, properties().size());
  else
    fmt::print("{}: {} of {} properties failed\n", name, failed, properties().size());
  return failed;
}

int verify(VerifyCommand const& command) {
  return report_properties(command.environment, subject_of(command)) == 0 ? 0 : 1;
}

}  // namespace shoal
