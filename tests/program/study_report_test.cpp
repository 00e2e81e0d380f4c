#include "program/reports/study_report.hpp"

#include <gmock/gmock.h>

#include <sstream>

namespace shoal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

StudyResult result(std::string const& method, std::int64_t seed, double r_cal, Summary::Figure s1 = {}) {
  return {"1", method, seed, {.r_cal_first = 0.25, .r_cal_last_tenth = r_cal, .s1 = s1, .seconds = 60}};
}

// Differences: -0.1 and -0.3 over the seeds 1 and 2, which both methods have.
std::vector<StudyResult> const results{result("calsheq", 1, 0.8, 0.01), result("calsheq", 2, 0.9, 0.03),
                                       result("calsheq", 3, 0.7, 0.02), result("bo", 2, 0.6, 0.1),
                                       result("bo", 1, 0.7)};
StudyNames const names{{"1", "2"}, {"calsheq", "bo"}, "calsheq"};

/// The fields of the row that begins so, by the names in the first row.
std::map<std::string, std::string> row_of(std::string const& csv, std::string const& begin) {
  std::istringstream lines(csv);
  std::string head, line;
  std::getline(lines, head);
  while (std::getline(lines, line) && !line.starts_with(begin)) {}
  std::map<std::string, std::string> fields;
  std::istringstream keys(head), values(line);
  for (std::string key; std::getline(keys, key, ',');) std::getline(values, fields[key], ',');
  return fields;
}

TEST(StudyReport, TableHasMeanAndDeviationOverSeeds) {
  auto const csv = table_csv(names, results);
  auto row = row_of(csv, "1,calsheq,");
  EXPECT_EQ(row["seeds"], "3");
  EXPECT_NEAR(std::stod(row["r_cal_last_tenth_mean"]), 0.8, 1e-12);
  EXPECT_NEAR(std::stod(row["r_cal_last_tenth_sd"]), 0.1, 1e-12);
  EXPECT_NEAR(std::stod(row["S1_mean"]), 0.02, 1e-12);
  EXPECT_EQ(row["seconds_mean"], "60");
  EXPECT_EQ(row["r_cal_first_mean"], "0.25");
  EXPECT_EQ(row["r_cal_settled_mean"], "") << "no run has it";
  EXPECT_EQ(row["stages_to_90_mean"], "") << "no run has it";
  EXPECT_EQ(row_of(csv, "1,bo,")["S1_mean"], "") << "one run lacks it";
  EXPECT_EQ(row_of(csv, "2,bo,")["seeds"], "0");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 5);
}

TEST(StudyReport, PairsOnlySeedsThatBothHave) {
  auto const csv = pairs_csv(names, results);
  auto row = row_of(csv, "1,bo,calsheq,r_cal_last_tenth,");
  EXPECT_EQ(row["seeds"], "2");
  EXPECT_NEAR(std::stod(row["difference"]), -0.2, 1e-12);
  EXPECT_NEAR(std::stod(row["low"]), -0.2 - 12.7062 * 0.1, 1e-5);  // sd 0.1414, over the root of 2: 0.1
  EXPECT_NEAR(std::stod(row["high"]), -0.2 + 12.7062 * 0.1, 1e-5);
  EXPECT_EQ(row_of(csv, "1,bo,calsheq,S1,")["difference"], "");
  EXPECT_THAT(csv, Not(HasSubstr("1,calsheq,")));
}

TEST(StudyReport, OnePairHasNoInterval) {
  auto row = row_of(pairs_csv(names, {results[0], results[4]}), "1,bo,calsheq,r_cal_last_tenth,");
  EXPECT_EQ(row["seeds"], "1");
  EXPECT_NEAR(std::stod(row["difference"]), -0.1, 1e-12);
  EXPECT_EQ(row["low"], "");
}

TEST(StudyReport, LargeNumbersHaveNoExponent) {
  std::vector<StudyResult> const large{{"1", "calsheq", 1, {.stages_to_90 = 10, .agent_steps_per_second = 999.7}},
                                       {"1", "calsheq", 2, {.stages_to_90 = 434, .agent_steps_per_second = 999.7}}};
  auto const text = table_markdown(names, large, {});
  EXPECT_THAT(text, HasSubstr("| 222 ± 300 "));
  EXPECT_THAT(text, HasSubstr("| 1000 ± 0 "));
}

TEST(StudyReport, MarkdownHasBothTablesAndWhatIsLeftOut) {
  auto const text = table_markdown(names, results, {{"1/bo/seed-3", "killed by signal 9"}});
  EXPECT_THAT(text, HasSubstr("| 1          | calsheq | 3     | 0.25 ± 0 "));
  EXPECT_THAT(text, HasSubstr("| 0.8 ± 0.1 "));
  EXPECT_THAT(text, HasSubstr("Method - calsheq, paired by seed"));
  EXPECT_THAT(text, HasSubstr("-0.2 [-1.47, +1.07]"));
  EXPECT_THAT(text, HasSubstr("- 1/bo/seed-3: killed by signal 9\n"));
  EXPECT_THAT(table_markdown({{"1"}, {"calsheq"}, "calsheq"}, results, {}), Not(HasSubstr("paired")));
}

}  // namespace
}  // namespace shoal
