// Every environment, with all settings of support/variants.hpp, keeps what `shoal verify` examines. verify_test.cpp
// tries each property on games that do not; draw_keys_test.cpp and batch_test.cpp have what needs the environment's
// source.
#include <gtest/gtest.h>

#include "shoal/env/verify.hpp"
#include "support/variants.hpp"

namespace shoal {
namespace {

class Conformance : public testing::TestWithParam<Variant> {};

INSTANTIATE_TEST_SUITE_P(All, Conformance, testing::ValuesIn(all_variants()),
                         [](auto const& test) { return test.param.name; });

TEST_P(Conformance, Holds) {
  auto const tried = subject(GetParam().environment, GetParam().params);
  for (auto const& property : properties()) {
    auto const finding = examine(property, tried);
    EXPECT_TRUE(finding.holds) << property.name << ": " << finding.text;
  }
}

}  // namespace
}  // namespace shoal
