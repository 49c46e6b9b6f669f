/**
 * Runs before each test file. BUDDYSCOPE_SEED fixes what property tests draw, so that a run can be
 * repeated (.ci/run does); without it every run draws anew, and a failure prints its seed.
 */
import fc from 'fast-check';

const seed = Number(process.env.BUDDYSCOPE_SEED);
if (process.env.BUDDYSCOPE_SEED && Number.isInteger(seed)) fc.configureGlobal({ seed });
