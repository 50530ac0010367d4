import { secretWord } from '../factors/secret-word.js';
import { describeContract } from './contract-suite.js';

describeContract({
  method: secretWord,
  kind: 'primary',
  enrolmentEvidence: (page) => ({ word: String(page.word) }),
  wrongEnrolmentEvidence: { word: 'not the word' },
  evidence: (enrolment, entry) => ({ answer: `${entry.question} ${enrolment.word}` }),
  wrongEvidence: () => ({ answer: 'not the answer' }),
  field: { name: 'answer', longest: 80 },
});
