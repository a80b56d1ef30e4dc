// Appends this Jest run's totals to $LOCKSTEP_COUNTS and names what was skipped.
const fs = require('node:fs');
module.exports = class CountReporter {
  onRunComplete(_contexts, results) {
    const skipped = results.testResults.flatMap((file) =>
      file.testResults.filter((t) => t.status === 'pending' || t.status === 'todo').map((t) => t.fullName));
    for (const name of skipped) console.log(`skipped: ${name}`);
    if (!process.env.LOCKSTEP_COUNTS) return;
    const failedFiles = results.testResults.filter((file) => file.testExecError != null).length;
    fs.appendFileSync(process.env.LOCKSTEP_COUNTS, `${JSON.stringify({
      passed: results.numPassedTests, failed: results.numFailedTests + failedFiles, skipped: skipped.length,
    })}\n`);
  }
};
