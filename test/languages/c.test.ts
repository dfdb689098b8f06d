// The contract of all languages: c.
import { testLanguage } from '../support/languages/matrix.js';

testLanguage('c');
