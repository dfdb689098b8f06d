// The contract of all languages: esm.
import { testLanguage } from '../support/languages/matrix.js';

testLanguage('esm');
