// The contract of all languages: cgi.
import { testLanguage } from '../support/languages/matrix.js';

testLanguage('cgi');
