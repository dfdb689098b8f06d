// The contract of all languages: go.
import { testLanguage } from '../support/languages/matrix.js';

testLanguage('go');
