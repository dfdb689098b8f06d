// The contract of all languages, with those that most machines have. All of them: npm run languages.
import { testLanguage } from '../../support/languages/matrix.js';

for (const name of ['node', 'perl', 'python']) testLanguage(name);
