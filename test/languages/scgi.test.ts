// The contract of all languages: scgi.
import { testLanguage } from '../support/languages/matrix.js';

testLanguage('scgi');
